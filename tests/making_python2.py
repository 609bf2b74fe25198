"""The demonstration's scripts as they were written for CASA 4, in Python 2: the same steps."""

from __future__ import annotations

import re

GATE = """\
import casadef
if re.search('^4.2', casadef.casa_version) == None:
    sys.exit('ERROR: PLEASE USE THE SAME VERSION OF CASA THAT YOU USED FOR GENERATING THE SCRIPT: 4.2')
"""
EXECFILE = '    with open(path) as stream:\n        exec(compile(stream.read(), path, "exec"), globals())\n'


def script_for_calibration(text: str) -> str:
    """Return a scriptForCalibration in Python 2, that CASA 4.2 alone lets pass."""
    text = re.sub(r"^if re\.search\(.*\n +sys\.exit\(.*\n", GATE, text, count=1, flags=re.MULTILINE)
    assert GATE in text
    text = text.replace("import sys\n", "", 1)  # a name of the CASA shell
    text = text.replace("list(range(0, len(step_title)))", "range(0, len(step_title))")
    text = text.replace(
        'if "applyonly" not in globals():', 'if not globals().has_key("applyonly"):'
    )
    text = text.replace("keepflags=True", "keepflags = T").replace(
        "flagbackup=False", "flagbackup = F"
    )
    text += (
        "\nfor i in ['2']:\n    plotms(vis=vis + '.split', xaxis='uvdist', yaxis='amp', field=i)\n"
    )
    text = text.replace("import re\n", "import re\nimport analysisUtils as aU\n", 1)
    text = text.replace(
        "asdm = ", "if applyonly != True: es = aU.stuffForScienceDataReduction()\nasdm = ", 1
    )
    return _statements(text)


def script_for_pi(text: str) -> str:
    """Return scriptForPI.py in Python 2."""
    assert EXECFILE in text
    text = text.replace(EXECFILE, "    execfile(path, globals())\n")
    text = text.replace(
        '"hif_restoredata" not in globals()', 'not globals().has_key("hif_restoredata")'
    )
    return _statements(
        text.replace("absent = sorted(", "if ebs <> ebs_there: print 'other'\n    absent = sorted(")
    )


def _statements(text: str) -> str:
    """Make every ``print(...)`` of one line a statement."""
    return re.sub(r"^( *)print\((.*)\)$", r"\1print \2", text, flags=re.MULTILINE)
