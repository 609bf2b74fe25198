from __future__ import annotations

from defusedxml import ElementTree

from reimage.demo import documents
from reimage.demo.datasets import datasets

A, B = datasets()[:2]
TABLES = {"session_1": "session_1.caltables.tgz"}


def test_the_manifest_has_versions_sessions_and_products_in_name_attributes():
    ous = ElementTree.fromstring(documents.manifest(A, "hifa_calimage", TABLES)).find("ous")
    assert ous.get("name") == A.mous.name
    assert ous.find("casaversion").get("name") == "6.7.0-31"
    assert ous.find("session").get("name") == "session_1"
    assert ous.find("session/asdm").get("name") == f"{A.blocks[0].eb.name}.ms"
    assert ous.find("aux_products_file").get("name").endswith("hifa_calimage.auxproducts.tgz")


def test_the_request_lists_the_blocks():
    request = ElementTree.fromstring(documents.ppr(B, "hifa_cal"))
    names = [node.text for node in request.iter("AsdmDiskName")]
    assert names == [block.eb.name for block in B.blocks]


def test_the_restore_script_calls_the_pipeline_with_parallel_lists():
    text = documents.restore_script(A)
    compile(text, "casa_piperestorescript.py", "exec")
    assert "hifa_restoredata (vis=['uid___A002_Xd0ab12_X3c4d'], session=['session_1']" in text


def test_the_pipescript_states_the_mous():
    text = documents.pipescript(A, "hifa_calimage")
    compile(text, "casa_pipescript.py", "exec")
    assert "'ousstatus_entity_id', 'uid://A001/X133d/X1a2b'" in text


def test_an_old_readme_names_the_version_and_a_new_one_does_not():
    assert "CASA version used for reduction: 6.7.0\n" in documents.old_readme(B)
    assert "6.7.0" not in documents.new_readme(A)


def test_the_qa2_report_has_the_version_in_the_row_after_its_header():
    header, values = documents.qa2_report(A).splitlines()[3:5]
    column = header.split("<th>").index("CASA version</th>")
    assert values.split("<td>")[column] == "6.7.0-31</td>"


def test_cont_dat_covers_every_window():
    text = documents.cont_dat(A)
    assert text.startswith("Field: Sim_Alpha\n")
    assert text.count("SpectralWindow: ") == text.count("GHz LSRK") == 4


def test_flux_csv_has_the_bandpass_flux_in_every_window_of_every_block():
    lines = documents.flux_csv(B).splitlines()[1:]
    assert len(lines) == 2 * 4
    assert float(lines[0].split(",")[3]) > float(lines[3].split(",")[3])
