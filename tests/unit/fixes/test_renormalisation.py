from __future__ import annotations

import pytest
from making_fixes import MANUAL_SCRIPT, PIPE_SCRIPT, SCRIPT, caveats, deliver, load, make_facts

FIX = load("renormalisation")
FDM = make_facts(spws=[{"id": 0, "name": "x", "n_channels": 1920, "center_hz": 2.3e11}])
MANIFEST = f"{SCRIPT}/member.uid___A001_X1_X2.hifa_cal.pipeline_manifest.xml"
EDITS = "    hifa_renorm(threshold=1.015, apply=True)\n"


def manifest(version):
    return f'<piperesults><ous name="a"><casaversion name="{version}"/></ous></piperesults>\n'


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, ["renormalisation-not-checked"]),
        ({MANIFEST: manifest("5.6.1-8")}, ["renormalisation-not-checked"]),
        ({MANUAL_SCRIPT: "# no ACreNorm here\n"}, ["renormalisation-not-checked"]),
        ({MANUAL_SCRIPT: "rn = ACreNorm('a.ms')\n"}, []),
        ({MANIFEST: manifest("6.2.1.7"), PIPE_SCRIPT: "hifa_renorm()\n"}, []),
        ({MANIFEST: manifest("6.4.1-12"), PIPE_SCRIPT: EDITS}, ["renormalisation-unproven"]),
        ({MANIFEST: manifest("6.6.1-17"), PIPE_SCRIPT: EDITS}, []),
    ],
)
def test_what_the_delivery_carries_decides(tmp_path, files, told):
    assert caveats(FIX, deliver(tmp_path, files), FDM) == told


def test_tdm_is_not_concerned(tmp_path):
    assert caveats(FIX, deliver(tmp_path, {}), make_facts()) == []
