from __future__ import annotations

import pytest
from making import EB, MEMBER, make_tree

from reimage.delivery import layout, versions
from reimage.model import Role

SCRIPT = f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py"
GATES = [
    ("if re.search('^4.2.2', casadef.casa_version) == None:", "4.2.2"),
    ('if re.search("^4.1", casadef.casa_version) == None:', "4.1"),
    ("if re.search('^5.1.1', '.'.join([str(i) for i in cu.version().tolist()])) == None:", "5.1.1"),
    ("if re.search('^6.7.0', '.'.join([str(i) for i in casalith.version()])) == None:", "6.7.0"),
    (r"if re.search(r'^6\.7\.0', casatasks.version_string()) is None:", "6.7.0"),
]


def statements(tmp_path, files):
    return versions.find_statements(layout.read_layout(make_tree(tmp_path, files)))


@pytest.mark.parametrize(("line", "version"), GATES)
def test_gate_lines(tmp_path, line, version):
    text = f"import re\n{line}\n    sys.exit('ERROR: PLEASE USE THE SAME VERSION')\n"
    (found,) = statements(tmp_path, {SCRIPT: text})
    assert (found.version, found.line, found.role) == (version, 2, Role.CALIBRATION)
    assert found.text == line.strip()


@pytest.mark.parametrize(
    "line",
    [
        "# if re.search('^4.2.2', casadef.casa_version) == None:",
        "VERSION_KS = '4.2.2'",
        "if re.search('1.2.3', name):",
        "CASA version used for reduction: 4.x",
    ],
)
def test_decoys_are_no_statements(tmp_path, line):
    assert statements(tmp_path, {SCRIPT: line + "\n", f"{MEMBER}/README": line + "\n"}) == ()


def test_all_places_by_trust(tmp_path):
    files = {
        SCRIPT: GATES[0][0],
        f"{MEMBER}/script/member.x.pipeline_manifest.xml": '<piperesults><ous name="uid___A001_X1_X2">'
        '<casaversion name="5.6.1-8"/></ous></piperesults>',
        f"{MEMBER}/qa/member.x.qa2_report.html": "<tr><th>CASA version</th></tr><tr><td>5.4.0-70</td></tr>",
        f"{MEMBER}/README": "Caf\xe9\nCASA version used for reduction: 4.3.1\n".encode("latin-1"),
    }
    found = statements(tmp_path, files)
    assert [s.version for s in found] == ["5.6.1-8", "5.4.0-70", "4.3.1", "4.2.2"]
    assert found[2].line == 2


def test_run_together_report(tmp_path):
    page = "<span>CASA version:5.6.1-8Reduction mode:PL calibration</span>"
    (found,) = statements(
        tmp_path, {f"{MEMBER}/qa/a.qa2_report.html": page, f"{MEMBER}/script/a.py": ""}
    )
    assert found.version == "5.6.1-8"


@pytest.mark.parametrize(
    "page",
    [
        "<table><tr><th>CASA version</th><td>5.4.0-70</td></tr></table>",
        "<table><tr><th>Pipeline</th><th>CASA version</th></tr><tr><td>42254M</td><td>5.4.0-70</td></tr></table>",
        "<table><tr><td><b>CASA version:</b></td><td>mode</td></tr><tr><td>5.4.0-70</td><td>PL</td></tr></table>",
    ],
)
def test_tables_of_reports(tmp_path, page):
    files = {f"{MEMBER}/qa/a.qa2_report.html": page, f"{MEMBER}/script/a.py": ""}
    (found,) = statements(tmp_path, files)
    assert found.version == "5.4.0-70"


def test_imaging_scripts_speak_of_imaging(tmp_path):
    (found,) = statements(tmp_path, {f"{MEMBER}/script/scriptForImaging.py": GATES[0][0]})
    assert found.role is Role.IMAGING
