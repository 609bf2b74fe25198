from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from making import EB
from making_fixes import MANUAL_SCRIPT, deliver, load, patched

FIX = load("recipes_almahelpers")
ILL = "import re\nfrom recipes.almahelpers import fixsyscaltimes # SACM/JAO - Fixes\nfixsyscaltimes('x.ms')\n"


def mended(root, text):
    return patched(FIX, deliver(root, {MANUAL_SCRIPT: text}))[MANUAL_SCRIPT]


def run(text):
    names = {}
    exec(compile(text, MANUAL_SCRIPT, "exec"), names)  # noqa: S102 -- our own patch, of our own text
    return names


def test_a_clean_script_is_left_alone(tmp_path):
    clean = "import re\n# from recipes.almahelpers import fixsyscaltimes\n"
    assert FIX.applies(deliver(tmp_path, {MANUAL_SCRIPT: clean}), {}) is None


def test_the_import_is_guarded_and_the_script_runs(tmp_path, capsys):
    ill = deliver(tmp_path, {MANUAL_SCRIPT: ILL})
    assert EB in FIX.applies(ill, {})
    run(patched(FIX, ill)[MANUAL_SCRIPT])
    assert "x.ms has no SYSCAL" in capsys.readouterr().out


class Table:
    """Plays CASA's table tool on one SYSCAL: two measurements in spw 0, one in spw 1."""

    columns: ClassVar = {
        "TIME": np.array([1002.0, 1005.0, 1001.0, 2001.0, 2001.0]),
        "INTERVAL": np.array([4.0, 10.0, 2.0, 2.0, 2.0]),
        "SPECTRAL_WINDOW_ID": np.array([0, 0, 1, 0, 0]),
    }

    def open(self, path, *, nomodify):
        assert path.endswith("/SYSCAL")
        assert not nomodify

    def getcol(self, name):
        return self.columns[name].copy()

    def putcol(self, name, values):
        self.columns[name] = values

    def close(self):
        pass


def test_the_stand_in_joins_the_times_of_a_measurement(tmp_path, monkeypatch, capsys):
    """The recipe's own rule: mean(TIME - INTERVAL/2) + 1 s; a measurement that agrees stays."""
    (tmp_path / "x.ms/SYSCAL").mkdir(parents=True)
    monkeypatch.setitem(sys.modules, "casatools", SimpleNamespace(table=Table))
    names = run(mended(tmp_path, ILL.replace("'x.ms'", "'no.ms'")))
    for torn in (1, 0):
        names["fixsyscaltimes"](vis=f"{tmp_path}/x.ms")
        assert Table.columns["TIME"].tolist() == [1001.0, 1001.0, 1001.0, 2001.0, 2001.0]
        assert Table.columns["INTERVAL"].tolist() == [2.0] * 5
        assert f": {torn} Tsys measurements" in capsys.readouterr().out


@pytest.mark.parametrize("package", ["recipes", "casarecipes"])
def test_where_there_is_a_package_it_is_used(tmp_path, monkeypatch, package):
    called = []
    module = ModuleType(f"{package}.almahelpers")
    module.fixsyscaltimes = called.append
    monkeypatch.setitem(sys.modules, package, ModuleType(package))
    monkeypatch.setitem(sys.modules, f"{package}.almahelpers", module)
    run(mended(tmp_path, ILL))
    assert called == ["x.ms"]


def test_an_answer_is_never_made_up(tmp_path):
    ill = "from recipes.almahelpers import fixsyscaltimes, calantsub\nfixsyscaltimes('x')\n"
    names = run(mended(tmp_path, ill))
    with pytest.raises(RuntimeError, match="calantsub is not in this CASA"):
        names["calantsub"]("x.tsys", ant="3", subant="4")


def test_an_import_within_a_step_keeps_its_place(tmp_path):
    run(
        mended(
            tmp_path,
            "import re\nif True:\n    from casarecipes.almahelpers import fixsyscaltimes\n    fixsyscaltimes('x')\n",
        )
    )
