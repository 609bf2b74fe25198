# scriptForPI.py of simulated data (`reimage demo build`).
# Written to behave like the script that ALMA delivers: it restores the calibrated data of one
# member OUS from directories raw, calibration and script beside it.
#
# To be started in directory "script" as    casa [--pipeline] -c scriptForPI.py
# Options are global variables, set before:
#   SPACESAVING = -1  no check of the disk space
#                  0  keep everything (default)
#                  1  remove the <eb>.ms.split
#                  2  remove the <eb>.ms as well
#                  3  remove the <eb>.ms.split.cal as well, where calibrated.ms was made of them
#   DOSPLIT            pipeline-calibrated data: make <eb>.ms.split.cal instead of links to <eb>.ms

import glob
import os
import re
import shutil
import sys
import tarfile
import xml.dom.minidom

print("*** ALMA scriptForPI ***")


def stop(message):
    print(message)
    sys.exit(1)


def post(message):
    print(message)
    casalog.post(message)


def the_one(pattern, name):
    """The file that matches, None, or the end."""
    found = sorted(glob.glob(pattern))
    if len(found) > 1:
        stop("ERROR: non-unique " + name)
    return found[0] if found else None


def run_script(path):
    """As casa's execfile does: in the global name space."""
    with open(path) as stream:
        exec(compile(stream.read(), path, "exec"), globals())


def unpack(path, directory):
    with tarfile.open(path) as archive:
        archive.extractall(directory)


# --- options

try:
    spacesaving = SPACESAVING
except NameError:
    spacesaving = 0
if spacesaving not in (-1, 0, 1, 2, 3):
    stop('SPACESAVING value "%s" not permitted' % spacesaving)
try:
    dosplit = DOSPLIT
except NameError:
    dosplit = False

# --- place

here = os.path.abspath(os.getcwd())
if os.path.basename(here) != "script":
    stop('ERROR: Please start this script in directory "script".')
top = os.path.dirname(here)
if not os.path.isdir("../calibration"):
    stop('ERROR: Cannot find directory "calibration"')
if not os.path.isdir("../raw"):
    stop('ERROR: directory "raw" not present.')
if os.path.exists("../calibrated"):
    stop("WARNING: will stop here since directory %s/calibrated already exists." % top)

# --- what kind of calibration

manual = sorted(name for name in glob.glob("*uid___*.scriptForCalibration.py"))
restore = the_one("*piperestorescript.py", "piperestorescript")
pipescript = the_one("*casa_pipescript.py", "pipescript")
if not manual and restore is None and pipescript is None:
    stop("ERROR: No calibration script found.")

ebs_wanted = []
if manual:
    ebs_wanted = [
        re.search(r"uid___[A-Z0-9]+_X[0-9a-f]+_X[0-9a-f]+", name).group(0) for name in manual
    ]
else:
    ppr = the_one("*pprequest.xml", "PPR") or the_one("PPR*.xml", "PPR")
    if ppr is not None:
        ebs_wanted = [
            node.firstChild.data.strip()
            for node in xml.dom.minidom.parse(ppr).getElementsByTagName("AsdmDiskName")
        ]

# --- files that the pipeline manifest mentions

manifest = the_one("*pipeline_manifest.xml", "pipeline manifest")
if manifest is not None:
    for node in xml.dom.minidom.parse(manifest).getElementsByTagName("aux_products_file"):
        name = node.getAttribute("name")
        if os.path.exists("../calibration/" + name):
            unpack("../calibration/" + name, "../calibration")
        else:
            print(
                'WARNING: could not find the file %s in directory "calibration" although the '
                "pipeline manifest mentions it." % name
            )

# --- ASDMs

ebs_there = sorted(
    os.path.basename(name)[: -len(".asdm.sdm")] for name in glob.glob("../raw/*.asdm.sdm")
)
if not ebs_there:
    stop('ERROR: No ASDM found in directory "raw".')
print("Found the following ASDMs: %s" % ebs_there)
ebs = ebs_there
if ebs_wanted and sorted(ebs_wanted) != ebs_there:
    print("WARNING: Inconsistency between ASDMs and calibration scripts")
    absent = sorted(set(ebs_wanted) - set(ebs_there))
    if absent:
        print(
            'ERROR: the following ASDMs have calibration information but are absent from directory "raw":'
        )
        print(absent)
    ebs = sorted(set(ebs_wanted) & set(ebs_there))
    if not ebs:
        stop("ERROR: Nothing to process.")
    print("Will try to proceed with the rest ...")

# --- disk space

if spacesaving >= 0:
    raw_mb = (
        sum(
            os.path.getsize(os.path.join(path, name))
            for eb in ebs
            for path, _, names in os.walk("../raw/%s.asdm.sdm" % eb)
            for name in names
        )
        / 1e6
    )
    factor = {0: 11, 1: 7}.get(spacesaving, 3)
    disk = os.statvfs("..")
    if disk.f_bavail * disk.f_frsize / 1e6 < factor * raw_mb:
        stop("ERROR: not enough free disk space. Need at least %d MB." % (factor * raw_mb))


def calibrate_manually(eb):
    """calibrated/<eb>.calibration: tables, ASDM and script together; <eb>.ms.split.cal moves up."""
    delivered = "../calibration/%s.calibration.tgz" % eb
    work = "../calibrated/%s.calibration" % eb
    if os.path.exists(delivered):
        unpack(delivered, "../calibrated")
    elif not os.path.isdir(work):
        os.mkdir(work)
    script = os.path.abspath([name for name in manual if eb in name][0])
    os.symlink(os.path.abspath("../raw/%s.asdm.sdm" % eb), work + "/" + eb)
    os.chdir(work)
    post("Processing " + eb)
    run_script(script)
    os.chdir(here)
    made = "%s/%s.ms.split.cal" % (work, eb)
    if not os.path.exists(made):
        print("ERROR: %s.ms.split.cal was not created." % eb)
        return
    shutil.move(made, "../calibrated/%s.ms.split.cal" % eb)
    if spacesaving >= 1:
        shutil.rmtree("%s/%s.ms.split" % (work, eb), ignore_errors=True)
    if spacesaving >= 2:
        shutil.rmtree("%s/%s.ms" % (work, eb), ignore_errors=True)


def restore_with_pipeline():
    """calibrated/{rawdata,products,working}: the pipeline restores all EBs in working."""
    for name in ("rawdata", "working"):
        os.mkdir("../calibrated/" + name)
    for eb in ebs:
        os.symlink(os.path.abspath("../raw/%s.asdm.sdm" % eb), "../calibrated/rawdata/" + eb)
    os.symlink(os.path.abspath("../calibration"), "../calibrated/products")
    script = os.path.abspath(restore or pipescript)
    for name in [manifest] if manifest is not None else []:
        shutil.copy(name, "../calibration")
    os.chdir("../calibrated/working")
    run_script(script)
    os.chdir(here)
    for eb in ebs:
        made = "../calibrated/working/%s.ms" % eb
        if not os.path.exists(made):
            print("ERROR: %s.ms was not created." % eb)
        elif dosplit:
            split(
                vis=made,
                outputvis="../calibrated/%s.ms.split.cal" % eb,
                datacolumn="corrected",
                intent="OBSERVE_TARGET*",
            )
        else:
            os.symlink("working/%s.ms" % eb, "../calibrated/%s.ms" % eb)


if manual:
    os.mkdir("../calibrated")
    applyonly = True
    mysteps = []
    for eb in ebs:
        calibrate_manually(eb)
else:
    if "hifa_restoredata" not in globals() and "hif_restoredata" not in globals():
        stop("ERROR: Pipeline not available. Make sure you start CASA with option --pipeline")
    os.mkdir("../calibrated")
    restore_with_pipeline()

casalog.post("ALMA scriptForPI completed.")
print("Done.")
