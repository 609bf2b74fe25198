# Calibration of @EB@, one execution block of @PROJECT@.
# Simulated data of `reimage demo build`: written to look and behave like the scripts that ALMA delivered
# with manually calibrated data.  With applyonly = True (set by scriptForPI.py) the delivered tables
# are applied; without it they are solved for.

import os
import re
import sys

# @GATE@

thesteps = []
step_title = {
    0: "Import of the ASDM",
    1: "Fix of SYSCAL table times",
    2: "A priori flagging",
    3: "Split out science SPWs and time average",
    4: "Initial flagging",
    5: "Putting a model for the flux calibrator(s)",
    6: "Bandpass calibration",
    7: "Gain calibration",
    8: "Application of the bandpass and gain cal tables",
    9: "Split out corrected column",
}

if "applyonly" not in globals():
    applyonly = False
try:
    print("List of steps to be executed ... %s" % mysteps)
    thesteps = mysteps
except NameError:
    print("global variable mysteps not set.")
if thesteps == []:
    thesteps = list(range(0, len(step_title)))
    print("Executing all steps: %s" % thesteps)

# The Python variable 'mysteps' will control which steps are executed when you start the script using
#   execfile('scriptForCalibration.py')

asdm = "@EB@"
vis = asdm + ".ms"
bandpass_field, phase_field, science_field = "@BANDPASS@", "@PHASE@", "@TARGET@"
refant = "@REFANT@"
edge = "@EDGE@"
flux_jy, spectral_index = float("@FLUX@"), float("@INDEX@")  # of the bandpass calibrator


# Import of the ASDM
mystep = 0
if mystep in thesteps:
    casalog.post("Step " + str(mystep) + " " + step_title[mystep], "INFO")
    print("Step %d %s" % (mystep, step_title[mystep]))

    if os.path.exists(vis) == False:
        importasdm(
            asdm,
            vis=vis,
            asis="Antenna Station Receiver Source CalAtmosphere CalWVR",
            bdfflags=False,
            lazy=False,
            process_caldevice=False,
        )
    if not os.path.exists(vis + ".flagversions"):
        print("ERROR in importasdm. Output MS is probably not useful. Will stop here.")
        sys.exit(1)

# Fix of SYSCAL table times
from recipes.almahelpers import fixsyscaltimes  # SACM/JAO - Fixes

mystep = 1
if mystep in thesteps:
    casalog.post("Step " + str(mystep) + " " + step_title[mystep], "INFO")
    print("Step %d %s" % (mystep, step_title[mystep]))

    fixsyscaltimes(vis=vis)

# A priori flagging
mystep = 2
if mystep in thesteps:
    casalog.post("Step " + str(mystep) + " " + step_title[mystep], "INFO")
    print("Step %d %s" % (mystep, step_title[mystep]))

    flagdata(vis=vis, mode="manual", spw="", autocorr=True, flagbackup=False)
    flagdata(vis=vis, mode="shadow", flagbackup=False)
    flagmanager(vis=vis, mode="save", versionname="Apriori")

# Split out science SPWs and time average
mystep = 3
if mystep in thesteps:
    casalog.post("Step " + str(mystep) + " " + step_title[mystep], "INFO")
    print("Step %d %s" % (mystep, step_title[mystep]))

    os.system("rm -rf %s.split %s.split.flagversions" % (vis, vis))
    split(vis=vis, outputvis=vis + ".split", datacolumn="data", spw="", keepflags=True)

# Initial flagging
mystep = 4
if mystep in thesteps:
    casalog.post("Step " + str(mystep) + " " + step_title[mystep], "INFO")
    print("Step %d %s" % (mystep, step_title[mystep]))

    flagdata(vis=vis + ".split", mode="manual", spw=edge, flagbackup=False)
    flagmanager(vis=vis + ".split", mode="save", versionname="BeforeBandpassCalibration")

# Putting a model for the flux calibrator(s)
mystep = 5
if mystep in thesteps and applyonly != True:
    casalog.post("Step " + str(mystep) + " " + step_title[mystep], "INFO")
    print("Step %d %s" % (mystep, step_title[mystep]))

    setjy(
        vis=vis + ".split",
        field=bandpass_field,
        standard="manual",
        fluxdensity=[flux_jy, 0, 0, 0],
        spix=spectral_index,
        reffreq="@REFERENCE@Hz",
        usescratch=False,
    )

# Bandpass calibration
mystep = 6
if mystep in thesteps and applyonly != True:
    casalog.post("Step " + str(mystep) + " " + step_title[mystep], "INFO")
    print("Step %d %s" % (mystep, step_title[mystep]))

    gaincal(
        vis=vis + ".split",
        caltable=vis + ".split.ap_pre_bandpass",
        field=bandpass_field,
        refant=refant,
        calmode="p",
        solint="int",
        minsnr=2,
    )
    bandpass(
        vis=vis + ".split",
        caltable=vis + ".split.bandpass",
        field=bandpass_field,
        refant=refant,
        solint="inf",
        combine="scan",
        solnorm=True,
        gaintable=[vis + ".split.ap_pre_bandpass"],
    )

# Gain calibration
mystep = 7
if mystep in thesteps and applyonly != True:
    casalog.post("Step " + str(mystep) + " " + step_title[mystep], "INFO")
    print("Step %d %s" % (mystep, step_title[mystep]))

    both = bandpass_field + "," + phase_field
    gaincal(
        vis=vis + ".split",
        caltable=vis + ".split.phase_inf",
        field=both,
        refant=refant,
        calmode="p",
        solint="inf",
        gaintable=[vis + ".split.bandpass"],
    )
    gaincal(
        vis=vis + ".split",
        caltable=vis + ".split.ampli_inf",
        field=both,
        refant=refant,
        calmode="a",
        solint="inf",
        gaintable=[vis + ".split.bandpass", vis + ".split.phase_inf"],
    )
    fluxscale(
        vis=vis + ".split",
        caltable=vis + ".split.ampli_inf",
        fluxtable=vis + ".split.flux_inf",
        reference=bandpass_field,
        transfer=phase_field,
    )

# Application of the bandpass and gain cal tables
mystep = 8
if mystep in thesteps:
    casalog.post("Step " + str(mystep) + " " + step_title[mystep], "INFO")
    print("Step %d %s" % (mystep, step_title[mystep]))

    tables = [vis + ".split.bandpass", vis + ".split.phase_inf", vis + ".split.flux_inf"]
    for f, near in (
        (bandpass_field, bandpass_field),
        (phase_field, phase_field),
        (science_field, phase_field),
    ):
        applycal(
            vis=vis + ".split",
            field=f,
            gaintable=tables,
            gainfield=["", near, near],
            interp=["nearest", "linear", "linear"],
            calwt=True,
            applymode="calflagstrict",
            flagbackup=False,
        )

# Split out corrected column
mystep = 9
if mystep in thesteps:
    casalog.post("Step " + str(mystep) + " " + step_title[mystep], "INFO")
    print("Step %d %s" % (mystep, step_title[mystep]))

    os.system("rm -rf %s.split.cal %s.split.cal.flagversions" % (vis, vis))
    split(vis=vis + ".split", outputvis=vis + ".split.cal", datacolumn="corrected", keepflags=True)
    flagmanager(vis=vis + ".split.cal", mode="save", versionname="FinalCalibration")
