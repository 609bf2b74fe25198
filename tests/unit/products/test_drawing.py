from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import AsinhNorm, Normalize

from reimage.products import drawing


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        (1.2, "Jy/beam", (1.0, "Jy/beam")),
        (0.012, "Jy/beam", (1e3, "mJy/beam")),
        (3e-4, "Jy/beam", (1e6, "µJy/beam")),
        (3e-8, "Jy/beam", (1e9, "nJy/beam")),
        (3e-4, "", (1.0, "")),
        (float("nan"), "Jy", (1.0, "Jy")),
    ],
)
def test_units_take_a_prefix_that_reads_well(value, unit, wanted):
    assert drawing.prefixed(value, unit) == wanted


@pytest.mark.parametrize(("value", "text"), [(487.3, "490"), (0.01234, "0.012"), (0.0, "0")])
def test_numbers_have_two_digits_and_no_exponent(value, text):
    assert drawing.number(value, 2) == text


def test_bright_images_are_stretched_faint_ones_not():
    assert isinstance(drawing.stretch(-3.0, 100.0, 1.0), AsinhNorm)
    assert type(drawing.stretch(-3.0, 8.0, 1.0)) is Normalize
    assert drawing.stretch(0.0, 0.0, 0.0).vmax == 1.0


def test_a_window_is_the_box_with_a_margin():
    finite = np.zeros((100, 80), dtype=bool)
    finite[40:60, 30:40] = True
    part = drawing.window(finite)
    assert (part.y.start, part.y.stop) == (38, 62)
    assert (part.x.start, part.x.stop) == (28, 42)
    everything = drawing.window(np.zeros((5, 6), dtype=bool))
    assert (everything.y.stop, everything.x.stop) == (5, 6)
