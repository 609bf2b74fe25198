"""What the observatory does with an ASDM before it delivers: flags, tables, calibrated data.

Two ways, as at ALMA: like the pipeline (tables, flag versions and a calapply file are delivered), or
by running the very scriptForCalibration that is then delivered.
"""

import os
import shutil
import sys
import tarfile
import types

import casatasks
import casatools
from casatasks import (
    applycal,
    bandpass,
    exportfits,
    fixplanets,
    flagdata,
    flagmanager,
    fluxscale,
    gaincal,
    impbcor,
    importasdm,
    setjy,
    tclean,
)

ASIS = "Antenna Station Receiver Source CalAtmosphere CalWVR SBSummary"


def by_pipeline(eb, calibrator, names, session, mous, out):
    """Calibrate `<eb>` (an ASDM in the working directory) as the pipeline does.

    `calibrator`: flux_jy, reference_hz, spectral_index of the bandpass source; `names`: field names
    by role.  Leaves `<eb>.ms` with CORRECTED_DATA here, and the three products in `out`.
    """
    vis = eb + ".ms"
    importasdm(asdm=eb, vis=vis, asis=ASIS, process_flags=True, bdfflags=False, lazy=False)
    md = casatools.msmetadata()
    md.open(vis)
    spws, antennas = range(md.nspw()), md.antennanames()
    edges = ",".join("%d:0;%d" % (spw, md.nchan(spw) - 1) for spw in spws)
    md.done()
    _flag(vis, edges, bad_antenna=antennas[-1])
    setjy(
        vis=vis,
        field=names["bandpass"],
        standard="manual",
        usescratch=False,
        fluxdensity=[calibrator["flux_jy"], 0, 0, 0],
        spix=calibrator["spectral_index"],
        reffreq="%.1fHz" % calibrator["reference_hz"],
    )
    tables = _solve(vis, names, antennas[0], "spw" + "_".join(map(str, spws)))
    calls = _calls(vis, names, ",".join(map(str, spws)), tables)
    for call in calls:
        applycal(**call)
    with open(os.path.join(out, vis + ".calapply.txt"), "w") as stream:
        stream.write(_exported(vis, calls, antennas=len(antennas), spws=len(spws)))
    _pack(os.path.join(out, "%s.%s.caltables.tgz" % (mous, session)), tables)
    _pack(os.path.join(out, vis + ".flagversions.tgz"), [vis + ".flagversions"])
    return vis, "corrected"


def _flag(vis, edges, bad_antenna):
    """What the pipeline flags before it calibrates; the last version is the one to restore."""
    flagmanager(vis=vis, mode="save", versionname="Original")
    flagdata(vis=vis, mode="manual", autocorr=True, flagbackup=False)
    flagdata(vis=vis, mode="manual", antenna=bad_antenna, scan="3", flagbackup=False)
    flagdata(vis=vis, mode="manual", spw=edges, flagbackup=False)
    flagmanager(vis=vis, mode="save", versionname="Pipeline_Final")


def _solve(vis, names, refant, spws):
    """Bandpass, phase and flux tables, named as the pipeline names them."""
    strong, both = names["bandpass"], names["bandpass"] + "," + names["phase"]
    stem = vis + ".%s." + spws + ".%s.tbl"
    first = stem % ("hifa_bandpass.s13_1", "solintint.gcal")
    bcal = stem % ("hifa_bandpass.s13_3", "solintinf.bcal")
    phase = stem % ("hifa_timegaincal.s19_2", "solintinf.gpcal")
    amp = stem % ("hifa_gfluxscale.s18_6", "solintinf.gacal")
    flux = stem % ("hifa_timegaincal.s19_4", "solintinf.gacal")
    by = dict(vis=vis, refant=refant)
    gaincal(caltable=first, field=strong, calmode="p", solint="int", minsnr=2, **by)
    bandpass(
        caltable=bcal,
        field=strong,
        solint="inf",
        combine="scan",
        gaintable=[first],
        solnorm=True,
        **by,
    )
    gaincal(caltable=phase, field=both, calmode="p", solint="inf", gaintable=[bcal], **by)
    gaincal(caltable=amp, field=both, calmode="a", solint="inf", gaintable=[bcal, phase], **by)
    fluxscale(vis=vis, caltable=amp, fluxtable=flux, reference=strong, transfer=names["phase"])
    return [bcal, phase, flux]


def _calls(vis, names, spws, tables):
    """The arguments of one applycal per role: targets take the phase source's gains."""
    calls = []
    for role, near in (("bandpass", "bandpass"), ("phase", "phase"), ("target", "phase")):
        calls.append(
            dict(
                vis=vis,
                field=names[role],
                intent="",
                spw=spws,
                antenna="*&*",
                gaintable=tables,
                gainfield=[names["bandpass"], names[near], names[near]],
                spwmap=[[], [], []],
                interp=["nearest,nearest", "linear,linear", "linear,linear"],
                parang=False,
                applymode="calflagstrict",
                flagbackup=False,
                calwt=[True, True, True],
            )
        )
    return calls


def _exported(vis, calls, antennas, spws):
    """The calls as hifa_exportdata writes them: in the pipeline's intents, equal states together.

    The bandpass source is the flux calibrator too; targets are calibrated as the phase source is.
    """
    bandpass, phase, target = calls
    lines = ["# Apply file for %s" % vis]
    for call, field, intent in (
        (bandpass, bandpass["field"], "BANDPASS,AMPLITUDE"),
        (phase, target["field"] + "," + phase["field"], "TARGET,PHASE"),
    ):
        said = dict(vis=vis, field=field, intent=intent, spw="0~%d" % (spws - 1))
        said["antenna"] = "0~%d" % (antennas - 1)
        for name in ("gaintable", "gainfield", "spwmap", "interp", "calwt"):
            said[name] = call[name]
        lines.append("applycal(%s)" % ", ".join("%s=%r" % item for item in said.items()))
    return "\n".join(lines)


def _pack(name, members):
    with tarfile.open(name, "w:gz") as archive:
        for member in members:
            archive.add(member)


def by_script(eb, script, out):
    """Run the scriptForCalibration that is to be delivered, and pack the tables that it made.

    The CASA of its day had `recipes.almahelpers`; modular CASA has not: here it stands in.
    """
    helpers = types.ModuleType("recipes.almahelpers")
    helpers.fixsyscaltimes = lambda vis: None
    sys.modules["recipes"] = types.ModuleType("recipes")
    sys.modules["recipes.almahelpers"] = helpers
    directory = eb + ".calibration"
    shutil.rmtree(directory, ignore_errors=True)
    os.mkdir(directory)
    os.symlink(os.path.abspath(eb), os.path.join(directory, eb))
    home = os.getcwd()
    os.chdir(directory)
    exec(compile(script, "scriptForCalibration.py", "exec"), task_names())
    os.chdir(home)
    kinds = ("bandpass", "phase_inf", "ampli_inf", "flux_inf", "ap_pre_bandpass")
    tables = ["%s/%s.ms.split.%s" % (directory, eb, kind) for kind in kinds]
    _pack(os.path.join(out, eb + ".calibration.tgz"), tables)
    return os.path.join(directory, eb + ".ms.split.cal"), "data"


def task_names():
    """The name space in which `casa -c` runs a script."""
    names = {
        name: getattr(casatasks, name)
        for name in dir(casatasks)
        if not name.startswith("_") and callable(getattr(casatasks, name))
    }
    names.update(
        casalog=casatasks.casalog,
        tb=casatools.table(),
        ms=casatools.ms(),
        me=casatools.measures(),
        qa=casatools.quanta(),
        msmd=casatools.msmetadata(),
        __name__="__main__",
    )
    return names


def forget_directions(ms, target):
    """The known illness "field coordinates 0,0": directions lost, uvw computed for them; data as measured."""
    fixplanets(vis=ms, field=target, direction="J2000 0h0m0s 0d0m0s", fixuvw=True)
    tb = casatools.table()
    tb.open(os.path.join(ms, "SOURCE"), nomodify=False)
    for row in range(tb.nrows()):
        if tb.getcell("NAME", row) == target:
            tb.putcell("DIRECTION", row, [0.0, 0.0])
    tb.close()


def quick_image(vis, column, target, pixels, cell_arcsec, gridder, fits):
    """The observatory's own product: a short clean of the first spw, primary-beam corrected."""
    tclean(
        vis=vis,
        imagename="quick",
        field=target,
        spw="0",
        specmode="mfs",
        datacolumn=column,
        deconvolver="hogbom",
        imsize=[pixels, pixels],
        cell="%garcsec" % cell_arcsec,
        gridder=gridder,
        weighting="briggs",
        robust=0.5,
        niter=50,
        interactive=False,
        pblimit=0.2,
    )
    impbcor(imagename="quick.image", pbimage="quick.pb", outfile="quick.pbcor", cutoff=0.2)
    exportfits(
        imagename="quick.pbcor", fitsimage=fits + ".pbcor.fits", dropstokes=False, velocity=False
    )
    exportfits(imagename="quick.pb", fitsimage=fits + ".pb.fits", dropstokes=False, velocity=False)
