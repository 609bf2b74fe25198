"""Trees as the archive hands them over, by era: the names of archive pages 2.2 and 2.3, and samples.

Each function returns ``{path: content}``; files are empty where only their name tells something.
"""

from __future__ import annotations

MOUS = "uid___A001_X1465_X2f66"
OTHER = "uid___A001_X1465_X2f99"
EB1, EB2 = "uid___A002_Xba0af7_X6409", "uid___A002_Xba0af7_X6ac1"
GOAL = "science_goal.uid___A001_X1465_X2f64/group.uid___A001_X1465_X2f65"
UID = f"2019.1.00003.S/{GOAL}/member.{MOUS}"
NAMED = "2012.1.00350.S/sg_ouss_id/group_ouss_id/member_ouss_id"
DATED = "2011.0.00511.S/sg_ouss_id/group_ouss_id/member_ouss_2012-10-18_id"
BULK = f"2013.1.00001.S/science_goal_x/group_obs_unit_set_y/member.{MOUS}"


def below(prefix, *names):
    return {f"{prefix}/{name}": "" for name in names}


def raw(prefix, *ebs):
    return below(prefix, *(f"raw/{eb}.asdm.sdm/Main.xml" for eb in ebs or (EB1,)))


def request(*ebs, command="hifa_importdata", namespace="", empty=()):
    names = "".join(f"<AsdmDiskName>{eb}</AsdmDiskName>" for eb in ebs)
    intents = "".join(f"<Intents><Keyword>{one}</Keyword><Value/></Intents>" for one in empty)
    return (
        f"<SciPipeRequest{namespace}>{intents}{names}<Command>{command}</Command></SciPipeRequest>"
    )


def manifest(*ebs, ous=MOUS, procedure="hifa_calimage", session="session_1", tables=""):
    named = tables or f"member.{ous}.{session}.caltables.tgz"
    asdms = "".join(f'<asdm name="{eb}"/>' for eb in ebs or (EB1,))
    return (
        f'<ous name="{ous}"><casaversion name="6.1.1.15"/><procedure_name name="{procedure}"/>'
        f'<session name="{session}"><caltables name="{named}"/>{asdms}</session></ous>'
    )


def results(*several):
    return f"<piperesults name='x'>{''.join(several)}</piperesults>"


def cycle_0():
    return {
        f"{DATED}/calibrated/{EB1}.ms.split.cal/table.dat": "",
        f"{DATED}/calibrated/{EB1}.ms.split.cal.flagversions/table.dat": "",
        f"{DATED}/script/{EB1}.ms.scriptForCalibration.py": "",
        f"{DATED}/README": "Project code: 2011.0.00511.S\n",
    }


def cycle_0_named():
    return {
        f"{NAMED}/calibrated/{EB1}.ms.split.cal/table.dat": "",
        f"{NAMED}/script/scriptForImaging.py": "",
    }


def manual(prefix=NAMED):
    return {
        **below(
            prefix,
            f"script/{EB1}.ms.scriptForCalibration.py",
            f"script/{EB2}.ms.scriptForCalibration.py",
            "script/scriptForPI.py",
            "script/scriptForFluxCalibration.py",
            "script/scriptForImaging.py",
            f"calibration/{EB1}.calibration.tgz",
            f"calibration/{EB1}.ms.wvrgcal",
            f"qa/{EB1}__qa2_part1.png",
            f"qa/{EB1}__textfile.txt",
            "README",
        ),
        **raw(prefix, EB1, EB2),
    }


def manual_prefixed():
    stem = f"member.{MOUS}"
    return {
        **below(
            UID,
            f"script/{stem}.{EB1}.ms.scriptForCalibration.py",
            f"script/{stem}.scriptForPI.py",
            f"calibration/{EB1}.calibration.tgz",
            f"qa/{stem}.qa2_report.pdf",
            f"log/{stem}.{EB1}.log.tgz",
            f"{stem}.README.txt",
        ),
        **raw(UID),
    }


def tar_gz(*, dot="."):
    """Cycles 2 and 3; in 2014 the session followed the OUS without a dot."""
    return {
        **below(
            NAMED,
            f"calibration/{MOUS}{dot}session_1.caltables.tar.gz",
            f"calibration/{EB1}.ms.flagversions.tar.gz",
            f"calibration/{EB1}.ms.calapply.txt",
            f"calibration/{EB1}_flagtemplate.txt",
            "calibration/flux.csv",
            "script/casa_pipescript.py",
            "script/casa_piperestorescript.py",
            "script/scriptForPI.py",
            f"qa/{MOUS}.weblog.tar.gz",
            "log/casa_commands.log",
        ),
        f"{NAMED}/script/PPR_uid___A001_X1465_X2f67.xml": request(EB1),
        **raw(NAMED),
    }


def cycle_4(prefix=UID):
    return {
        **below(
            prefix,
            "calibration/antennapos.csv",
            f"calibration/{MOUS}.cont.dat",
            f"calibration/{MOUS}.session_1.caltables.tgz",
            f"calibration/{MOUS}.session_2.caltables.tgz",
            f"calibration/{EB1}.ms.calapply.txt",
            f"calibration/{EB1}.ms.flagversions.tgz",
            f"calibration/{EB2}.ms.calapply.txt",
            f"calibration/{EB2}.ms.flagversions.tgz",
            "log/casa-20170117-233444.log",
            f"log/{MOUS}.casa_commands.log",
            f"product/{MOUS}.NGC_628_sci.spw17.cube.I.pbcor.fits",
            f"qa/{MOUS}.weblog.tgz",
            "script/casa_piperestorescript.py",
            "script/scriptForImaging.py",
            "script/scriptForPI.py",
            "README",
        ),
        f"{prefix}/script/casa_pipescript.py": (
            "context.set_state('ProjectSummary', 'proposal_code', '2016.1.01435.S')\n"
            "context.set_state('ProjectStructure', 'ousstatus_entity_id',"
            " 'uid://A001/X1465/X2f66')\n"
            "hifa_importdata(vis=[])\n"
        ),
        f"{prefix}/script/PPR_uid___A001_X1465_X2f67.xml": request(EB1, EB2),
        **raw(prefix, EB1, EB2),
    }


def cycle_5(*, session="session_1", odd="", procedure="hifa_calimage", prefix=UID):
    stem = f"member.{MOUS}"
    named = f"{stem}.{procedure}"
    return {
        **below(
            prefix,
            f"calibration/{stem}.{session}.caltables.tgz",
            f"calibration/{stem}.{session}.auxcaltables.tgz",
            f"calibration/{named}.auxproducts.tgz",
            f"calibration/{EB1}.ms.flagversions.tgz",
            f"calibration/{EB1}.ms.calapply.txt",
            f"calibration/{EB1}_target.ms.auxcalapply.txt",
            f"script/{named}.casa_pipescript.py",
            f"script/{named}.casa_piperestorescript.py",
            f"script/{named}.casa_commands.log",
            f"script/{stem}.product_rename.txt",
            f"script/{stem}.scriptForPI.py",
            f"qa/{named}.weblog.tgz",
            f"qa/{stem}.qa2_report.html",
            f"{stem}.README.txt",
        ),
        f"{prefix}/script/{named}.pprequest.xml": request(EB1),
        f"{prefix}/script/{named}{odd}.pipeline_manifest.xml": results(
            manifest(session=session, procedure=procedure)
        ),
        **raw(prefix),
    }


def cycle_12():
    return cycle_5(session="s1") | below(UID, f"calibration/{EB1}.antennapos.json")


def total_power():
    return cycle_5(procedure="hsd_calimage") | below(UID, "calibration/jyperk.csv")


def total_power_by_hand():
    return below(
        UID,
        f"script/{EB1}.ms.scriptForSDCalibration.py",
        "script/scriptForPI.py",
        "calibration/x.jyperk_query.csv",
    )


def total_power_unprefixed():
    """A single-dish delivery of Cycle 3: no name says so, the script does."""
    tree = {name: text for name, text in tar_gz().items() if "PPR" not in name}
    restore = "h_init()\nhsd_restoredata(vis=['x'], session=['session_1'])\n"
    return tree | {f"{NAMED}/script/casa_piperestorescript.py": restore}


def shell():
    stem = f"member.{MOUS}"
    return {
        **below(
            UID,
            f"script/{stem}.scriptForPI.py",
            f"qa/{stem}.qa2_report.html",
            f"qa/{EB1}.qa0_report.html",
            f"{stem}.README.txt",
        ),
        **raw(UID, EB1, EB2),
    }


def shouting():
    """Directories and suffixes in the other case."""
    return {
        **below(
            f"2016.1.01435.S/{GOAL}/MEMBER.{MOUS}",
            f"Calibration/{MOUS}.session_1.CALTABLES.TGZ",
            f"Calibration/{EB1}.ms.FLAGVERSIONS.TGZ",
            f"Calibration/{EB1}.ms.CalApply.TXT",
            "SCRIPT/casa_PipeRestoreScript.PY",
            f"Raw/{EB1}.ASDM.SDM/Main.xml",
            "ReadMe.TXT",
        ),
    }
