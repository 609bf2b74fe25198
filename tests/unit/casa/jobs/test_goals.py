"""What the PI asked for: read from lines of text, and what follows for robust, spw and binning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.casa.jobs import _bandwidth as bandwidth
from reimage.casa.jobs import _goals as goals
from reimage.casa.jobs import _noise as noise

LINES = [
    "representativeSource = NGC_1614",
    "representativeFrequency = 226.65 GHz",
    "representativeBandwidth = 20.0 MHz",
    "representativeWindow = X1#ALMA_RB_06#BB_1#SW-01",
    "minAcceptableAngResolution = 0.5 arcsec",
    "maxAcceptableAngResolution = 1500 mas",
    "sensitivityGoal = 1.0 mJy",
]


def spw(number, low, high, nchan=100, name=""):
    return {
        "id": number,
        "name": name or f"X1#ALMA_RB_06#BB_{number}#SW-01#FULL_RES",
        "low_hz": low * 1e9,
        "high_hz": high * 1e9,
        "mean_hz": (low + high) / 2 * 1e9,
        "channel_hz": (high - low) * 1e9 / nchan,
    }


def test_goals_are_read():
    assert goals.parse(LINES) == {
        "source": "NGC_1614",
        "frequency_hz": 226.65e9,
        "bandwidth_hz": 20e6,
        "window": "X1#ALMA_RB_06#BB_1#SW-01",
        "min_arcsec": 0.5,
        "max_arcsec": 1.5,
    }


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["", "nonsense", "representativeSource ="],
        ["representativeSource = none", "representativeBandwidth = 0.0 GHz"],
        ["representativeBandwidth = None", "maxAcceptableAngResolution = -1 arcsec"],
        ["representativeFrequency = 226 parsec", "representativeBandwidth = twenty MHz"],
    ],
)
def test_what_is_not_said_is_unknown(lines):
    assert not any(goals.parse(lines).values())
    assert not goals.is_real(goals.parse(lines))


def test_a_real_goal_has_a_source_and_a_bandwidth():
    assert goals.is_real(goals.parse(LINES))
    assert not goals.is_real(None)


@given(st.text())
def test_any_text_is_survived(text):
    goals.parse([text])
    goals.quantity(text)


@pytest.mark.parametrize("text", ["0.5arcsec", "0.5 arcsec", " 500 mas ", "5e-1 arcsec"])
def test_quantities(text):
    assert goals.quantity(text) == 0.5


WIDE, LINE, OTHER = spw(1, 226.0, 228.0, 128), spw(2, 226.5, 227.0, 1920), spw(3, 240, 242, 128)


@pytest.mark.parametrize(
    ("said", "frequency", "chosen"),
    [
        ({"window": "X1#ALMA_RB_06#BB_3#SW-01"}, 226.7e9, 3),
        ({"window": "X1#ALMA_RB_06#BB_3#SW-01#FULL_RES"}, None, 3),
        ({}, 226.7e9, 2),  # the wide spw's channels are wider than 1 MHz
        ({"bandwidth_hz": 50e6}, 226.7e9, 1),  # the widest that holds it
        (
            {"bandwidth_hz": 50e6},
            250e9,
            1,
        ),  # none holds it: the widest channels that are fine enough
        ({"bandwidth_hz": 1e3}, 226.7e9, 2),  # none is fine enough: the finest that holds it
        ({"bandwidth_hz": 1e3}, 250e9, 3),  # nor holds it: the nearest
        ({}, None, 1),
        ({"bandwidth_hz": None}, 226.7e9, 1),
    ],
)
def test_representative_spw(said, frequency, chosen):
    asked = {"window": None, "bandwidth_hz": 1e6, **said}
    assert goals.choose_spw(asked, [WIDE, LINE, OTHER], frequency) == chosen


@pytest.mark.parametrize(
    ("megahertz", "mode"),
    [(20, "nbin"), (400, "nbin"), (401, "repr_spw"), (2001, "multi_spw"), (3700, "all_spw")],
)
def test_bandwidth_mode(megahertz, mode):
    assert goals.bandwidth_mode(megahertz * 1e6, WIDE, [WIDE, OTHER]) == mode


def test_overlapping_spws_count_once():
    assert goals.aggregate_bandwidth([WIDE, LINE]) == 2e9
    assert goals.aggregate_bandwidth([OTHER, WIDE, spw(4, 227, 229)]) == 5e9


@pytest.mark.parametrize(
    ("wanted", "channel", "default", "nbin"),
    [
        (25e6, 3906250.0, 1, 6),  # referee C
        (20e6, 7812500.0, 1, None),  # referee A: less than four channels
        (4e6, 1e6, 1, None),
        (4.1e6, 1e6, 1, 4),
        (4.6e6, 1e6, 1, 5),
        (8e6, 1e6, 2, None),
        (8.1e6, 1e6, 2, 8),
    ],
)
def test_representative_binning(wanted, channel, default, nbin):
    assert goals.bins(wanted, channel, default) == nbin


BEAMS = {0.0: (1.0, 0.8), 0.5: (1.2, 1.0), 1.0: (1.5, 1.2), 2.0: (1.6, 1.4)}


@pytest.mark.parametrize(
    ("smallest", "largest", "robust"),
    [
        (0.5, 1.5, 0.5),
        (0.5, 1.0, 0.0),
        (1.2, 1.4, 1.0),
        (1.4, 1.6, 2.0),
        (2.0, 3.0, 2.0),
        (0.1, 0.5, 0.0),
        (0.95, 1.0, 0.5),  # between the areas of 0.0 and 0.5
        (None, None, 0.5),
        (0.5, None, 0.5),
        (None, 1.5, 0.5),
    ],
)
def test_robust(smallest, largest, robust):
    assert goals.choose_robust(BEAMS, smallest, largest)[0] == robust


def test_robust_of_the_7m_array():
    assert goals.choose_robust({0.5: (10.0, 8.0)}, 0.5, 1.5)[0] == 0.5
    assert goals.choose_robust({}, None, None)[0] == 0.5


@given(
    st.floats(min_value=0.01, max_value=10),
    st.floats(min_value=0.01, max_value=10),
)
def test_a_beam_in_range_is_always_found(one, other):
    low, high = sorted((one, other))
    robust, _ = goals.choose_robust(BEAMS, low, high)
    inside = [r for r, (a, b) in BEAMS.items() if low**2 <= a * b <= high**2]
    assert robust in (inside or BEAMS)


# --- bandwidths of smoothed channels -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "count"),
    [
        (1.0, 0),
        (0.9, 0),
        (2.667, 1),
        (2.66662, 1),
        (1.6, 2),
        (1.231, 4),
        (1.104, 8),
        (1.049, 16),
        (1.3, 0),
    ],
)
def test_averaged(ratio, count):
    assert bandwidth.averaged(ratio) == count


def test_effective_bandwidth():
    assert bandwidth.effective(1, 1920, 1e6, 2.667) == (1e6, 1.0)
    assert bandwidth.effective(10, 128, 1e6, 1.0) == (10e6, 1.0)
    real, factor = bandwidth.effective(10, 1920, 1e6, 2.667)
    assert real == pytest.approx((10 + 1.12 * 1910 / 1920) * 1e6)
    assert factor == pytest.approx((26.67e6 / real) ** 0.5)
    whole, factor = bandwidth.effective(1920, 1920, 1e6, 2.667)
    assert whole == 1920e6
    assert factor == pytest.approx(2.667**0.5)


def test_noise_of_a_selection():
    whole = {"jy_beam": 1.2345e-4, "channels": 100, "total": 128, "smoothing": 1.0}
    known = {"ebs": {"X1": whole, "X2": dict(whole, smoothing=2.667)}, "overlap": 1.25}
    assert noise.of_selection(known, {"X1": 1, "X2": 0}) == [1.2345e-4 * 10 / 1.25]
    assert noise.of_selection(known, {"X1": 25}, 3) == [1.23e-4 * 2 / 1.25]
    both = noise.of_selection(known, {"X1": 4, "X2": 4})
    factor = bandwidth.effective(4, 128, 1.0, 2.667)[1]
    assert both[1] / both[0] == pytest.approx(factor)
    known["ebs"]["X1"]["remembered"] = True
    assert noise.of_selection(known, {"X1": 25}) == [1.23e-4 * 2 / 1.25]
