"""What every CASA job must be: nothing here names one."""

from __future__ import annotations

import ast
import sys

import pytest

from reimage.casa import process
from reimage.delivery import python2, python3

JOBS = sorted(process.JOBS.glob("*.py"))
OWN = {path.stem for path in JOBS}
FOREIGN = {"casatasks", "casatools", "casalith", "casadef", "numpy", "pipeline"}
IN_SHELL = {
    *("_shell", "shell_script", "probe_shell", "shell_pipeline"),
    *("_pipeline_steps", "_pipeline_results", "_pipeline_products", "_fits"),
}
"""Run in the shell of a monolithic CASA, of Python 2 or 3."""


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
class TestJob:
    def test_is_python_3_8(self, path):
        ast.parse(path.read_text(), feature_version=(3, 8))

    def test_imports_nothing_of_the_service(self, path):
        allowed = OWN | FOREIGN | set(sys.stdlib_module_names)
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {name.partition(".")[0] for name in names} <= allowed

    def test_says_what_it_is_for(self, path):
        assert ast.get_docstring(ast.parse(path.read_text()))

    def test_hides_its_arguments_before_casa_is_imported(self, path):
        if path.stem.startswith("_") or path.stem in IN_SHELL:
            return
        tree = ast.parse(path.read_text())
        imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        first = min(imports, key=lambda node: node.lineno)
        assert isinstance(first, ast.Import)
        assert first.names[0].name == "_job"


@pytest.mark.parametrize("name", sorted(IN_SHELL))
def test_what_runs_in_a_shell_is_python_2_and_3(name):
    """The names of `import` are the shell's afterwards; `from __future__` would be the script's."""
    text = (process.JOBS / f"{name}.py").read_text()
    assert python2.find(text) == ()
    assert python3.find(text) == ()
    assert "__future__" not in [
        node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)
    ]
