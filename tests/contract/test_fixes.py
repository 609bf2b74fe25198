"""What every declared fix must be: nothing here names one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from reimage import fix
from reimage.model import Stage
from reimage.settings import shipped

MODULES = sorted(shipped("fixes").glob("[!_]*.py"))
ALLOWED = {
    "reimage.fix",
    "reimage.model",
    "reimage.errors",
    "reimage.delivery",
    "__future__",
    "ast",
    "datetime",
    "math",
    "re",
    "textwrap",
    "pathlib",
    "collections.abc",
    "typing",
    "urllib.parse",
}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
class TestFix:
    def test_is_called_like_its_file_and_names_its_issue(self, path):
        one = fix.read(path)
        assert one.id == path.stem.replace("_", "-")
        assert one.issue
        assert one.before in {Stage.RESTORE, Stage.IMAGE}
        assert not one.reports or one.before is Stage.IMAGE

    def test_tells_symptom_cause_remedy_source(self, path):
        told = ast.get_docstring(ast.parse(path.read_text())) or ""
        for word in ("Symptom:", "Cause:", "Remedy:", "Source:"):
            assert word in told

    def test_sees_nothing_of_the_service_and_no_casa(self, path):
        imported = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported.update(name.name for name in node.names)
        assert imported <= ALLOWED

    def test_is_tested(self, path):
        tests = Path(__file__).parents[1] / "unit" / "fixes"
        assert (tests / f"test_{path.stem}.py").is_file(), "a fix needs a clean and an ill sample"


def test_there_are_some():
    assert len(MODULES) >= 15
    assert len(fix.known([shipped("fixes")])) == len(MODULES)


def test_a_broken_module_is_coded(tmp_path):
    (tmp_path / "x.py").write_text("import nothing_like_it\n")
    with pytest.raises(fix.FixUnreadable, match="nothing_like_it"):
        fix.discover([tmp_path])
    (tmp_path / "x.py").write_text("FIX = 1\n")
    with pytest.raises(fix.FixUnreadable, match="does not end in a FIX"):
        fix.discover([tmp_path])


def test_a_changed_fix_is_noticed(tmp_path):
    source = shipped("fixes") / "field_coordinates_zero.py"
    (tmp_path / source.name).write_text(source.read_text())
    (reference,) = fix.discover([tmp_path])
    assert fix.frozen(reference).id == reference.id
    (tmp_path / source.name).write_text(source.read_text() + "\n")
    with pytest.raises(fix.FixChanged):
        fix.frozen(reference)
