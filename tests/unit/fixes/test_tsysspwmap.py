"""The stand-in of tsysspwmap on played tables; with real CASA: tests/casa/test_tsys_map.py."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from making_fixes import MANUAL_SCRIPT, deliver, load, patched

FIX = load("recipes_almahelpers")
ILL = "from recipes.almahelpers import tsysspwmap\n"
TDM = 2e9 / 128


def window(baseband, channels, width, centre=100e9):
    """Return a row of SPECTRAL_WINDOW; ``width`` is negative where frequencies run down."""
    frequencies = centre + width * (np.arange(channels) - (channels - 1) / 2)
    return {
        "BBC_NO": baseband,
        "CHAN_FREQ": frequencies,
        "CHAN_WIDTH": np.full(channels, float(width)),
    }


WVR, MEAN = window(0, 4, 1.5e9, 183e9), window(1, 1, 2e9)
TSYS1, TSYS2 = window(1, 128, TDM), window(2, 128, -TDM)
FDM1, FDM2 = window(1, 3840, TDM / 32), window(2, 3840, -TDM / 32)


def beyond(channels, sign=1):
    """Return a science spw whose edge lies so many Tsys channels beyond that of baseband 1."""
    return window(1, 128, sign * TDM / 8, 100e9 + (64 + channels - 8) * TDM)


class Call:
    """The function that the patched script has, on tables that play an MS and its Tsys table."""

    def __init__(self, root, monkeypatch):
        self.text = patched(FIX, deliver(root, {MANUAL_SCRIPT: ILL}))[MANUAL_SCRIPT]
        modules = SimpleNamespace(table=self.table, msmetadata=self.metadata)
        monkeypatch.setitem(sys.modules, "casatools", modules)

    def __call__(self, spws, solved, *, targets=None, **options):
        self.spws, self.solved = spws, solved
        self.targets = range(len(spws)) if targets is None else targets
        names = {}
        exec(compile(self.text, MANUAL_SCRIPT, "exec"), names)  # noqa: S102 -- our own patch
        return names["tsysspwmap"](vis="x.ms", tsystable="x.ms.tsys", **options)

    def table(self):
        def cell(name, row):
            assert opened[-1].startswith("x.ms.tsys/") <= (row in self.solved)  # others: no use
            return self.spws[row][name]

        opened = []
        return SimpleNamespace(
            open=opened.append,
            nrows=lambda: len(self.spws),
            getcell=cell,
            getcol=lambda name: np.array({"SPECTRAL_WINDOW_ID": [*self.solved] * 3}[name]),
            close=lambda: None,
        )

    def metadata(self):
        intents = {"OBSERVE_TARGET*": np.array(self.targets)}
        return SimpleNamespace(open=[].append, spwsforintent=intents.__getitem__, done=lambda: None)


@pytest.fixture
def call(tmp_path, monkeypatch):
    return Call(tmp_path, monkeypatch)


def test_a_spw_takes_the_tsys_of_its_baseband(call):
    """All cover the same frequencies; frequencies of baseband 2 run down."""
    answer = call([WVR, TSYS1, TSYS2, FDM1, FDM2], [1, 2])
    assert answer == [0, 1, 2, 1, 2]
    assert {type(spw) for spw in answer} == {int}


def test_the_tail_of_spws_without_is_trimmed(call):
    spws = [WVR, TSYS1, FDM1, WVR, WVR]
    assert call(spws, [1]) == [0, 1, 1]
    assert call(spws, [1], trim=False) == [0, 1, 1, 3, 4]
    assert call([TSYS1, WVR], [0]) == []


@pytest.mark.parametrize(
    ("channels", "tolerance", "covered"),
    [(0, 0, True), (0.5, 0, False), (0.5, 1, True), (1, 1, True), (1.05, 1, False)],
)
def test_edges_have_a_tolerance_in_channels_of_tsys(call, channels, tolerance, covered):
    spws = [TSYS1, beyond(channels)]
    if covered:
        assert call(spws, [0], tsysChanTol=tolerance) == [0, 0]
    else:
        with pytest.raises(RuntimeError, match=r"science spws \[1\] of x\.ms find no Tsys"):
            call(spws, [0], tsysChanTol=tolerance)


def test_where_frequencies_run_down_one_more_channel_is_let_pass_as_by_the_recipe(call):
    assert call([TSYS2, window(2, 128, -TDM)], [0], tsysChanTol=1) == [0, 0]
    assert call([TSYS1, beyond(1.1, sign=-1)], [0], tsysChanTol=1) == [0, 0]
    with pytest.raises(RuntimeError, match="find no Tsys"):
        call([TSYS1, beyond(1.15, sign=-1)], [0], tsysChanTol=1)


def test_only_a_science_spw_must_have_one(call, capsys):
    """Not a mean of channels, a radiometer, or a spw that only calibrators were observed in."""
    other = window(3, 128, TDM)
    assert call([WVR, TSYS1, FDM1, window(3, 1, 2e9), other], [1], targets=[0, 2, 3]) == [0, 1, 1]
    assert "no Tsys for spws [0, 3, 4]" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match=r"science spws \[4\]"):
        call([WVR, TSYS1, FDM1, MEAN, other], [1])


def test_of_two_the_first_is_taken_as_by_the_recipe_and_said(call, capsys):
    assert call([TSYS1, TSYS1, FDM1], [0, 1]) == [0, 0, 0]
    assert "spw 2 takes the first of Tsys spws [0, 1]" in capsys.readouterr().out
