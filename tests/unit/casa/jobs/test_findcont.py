"""The continuum finder on spectra of known content: lines stay out, continuum stays in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from reimage.casa.jobs import _findcont as findcont
from reimage.casa.jobs import _windows as windows
from reimage.casa.jobs import _wings as wings
from tests.unit.casa.jobs import finder_spectra as spectra

SIDE, SIGMA = 48, 1.8
BEAM = 2 * np.pi * SIGMA**2
NOISE = 1.0


def make_cube(channels=120, *, continuum=40.0, lines=(), slope=0.0, seed=1, noise=None):
    """Make a cube with a source at the centre; ``lines``: (centre, sigma, peak) in channels and noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    source = np.exp(-(x**2 + y**2) / (2 * SIGMA**2))
    at = np.arange(channels)
    spectrum = continuum * (1 + slope * (at / channels - 0.5))
    for centre, sigma, peak in lines:
        spectrum = spectrum + peak * np.exp(-((at - centre) ** 2) / (2 * sigma**2))
    cube = spectrum[:, None, None] * source
    level = NOISE if noise is None else np.asarray(noise)[:, None, None]
    width = SIGMA / 2**0.5
    grain = gaussian_filter(random.normal(size=cube.shape), (0, width, width), mode="wrap")
    return (cube + level * grain / grain.std()).astype(np.float32)


def found(cube):
    """Return the line-free channels as marks, and the flags."""
    answer = findcont.find(cube, np.ones((SIDE, SIDE)), BEAM)
    free = np.zeros(len(cube), dtype=bool)
    for first, last in answer["runs"]:
        free[first : last + 1] = True
    return free, answer["flags"]


@pytest.mark.parametrize("channels", [25, 60, 120])
@pytest.mark.parametrize("continuum", [0.0, 40.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_continuum_alone_keeps_nine_tenths_of_the_band(channels, continuum, seed):
    free, flags = found(make_cube(channels, continuum=continuum, seed=seed))
    assert flags == ["ALLCONT"]
    assert free.mean() >= 0.9


def test_spectral_slope_is_no_line():
    _, flags = found(make_cube(slope=0.1))
    assert flags == ["ALLCONT"]


LINES = {
    "narrow": [(60, 1.5, 30)],
    "weak": [(60, 4, 6)],
    "broad": [(60, 14, 15)],
    "broad at the edge": [(5, 10, 20)],
    "absorption": [(60, 4, -20)],
    "two": [(30, 3, 20), (80, 5, 12)],
    "many": [(n, 1.5, 25) for n in (12, 26, 38, 51, 64, 77, 90, 104)],
    "bright and faint": [(40, 3, 500), (90, 3, 8)],
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_line_channel_is_let_in(name, seed):
    free, flags = found(make_cube(lines=LINES[name], seed=seed))
    assert "ALLCONT" not in flags
    for centre, sigma, peak in LINES[name]:
        # where the line is stronger than three times the noise of a channel
        reach = sigma * np.sqrt(2 * np.log(abs(peak) / 3))
        inside = np.abs(np.arange(len(free)) - centre) <= reach
        assert not (free & inside).any()
    assert free.any()


@pytest.mark.parametrize("name", ["narrow", "weak", "absorption", "two"])
def test_what_is_far_from_lines_is_kept(name):
    free, _ = found(make_cube(lines=LINES[name]))
    far = np.ones(len(free), dtype=bool)
    far[:5] = far[-5:] = False
    for centre, sigma, _ in LINES[name]:
        far &= np.abs(np.arange(len(free)) - centre) > 6 * sigma + 4
    assert free[far].mean() > 0.9


def test_line_without_continuum_is_found():
    free, flags = found(make_cube(continuum=0.0, lines=[(60, 3, 12)]))
    assert not flags
    assert not free[57:64].any()


def test_noise_that_rises_towards_an_atmospheric_line_is_no_line():
    at = np.arange(120)
    wings = 1 + 0.4 * np.exp(-((at - 20) ** 2) / (2 * 15.0**2))
    _, flags = found(make_cube(noise=wings))
    assert flags == ["ALLCONT"]


def test_sidelobes_that_move_with_frequency_are_no_line():
    cube = make_cube(60)
    x = np.arange(SIDE) - SIDE / 2
    phase = 2 * np.pi * x[None, :] / 8 * (1 + 0.009 * (np.arange(60)[:, None] / 60 - 0.5))
    cube += (8 * np.cos(phase))[:, None, :]
    _, flags = found(cube)
    assert flags == ["ALLCONT"]


def test_forest_leaves_what_lies_between_the_lines():
    lines = [(n, 2.0, 60) for n in range(6, 120, 14)]
    free, flags = found(make_cube(lines=lines))
    assert "ALLCONT" not in flags
    for centre, _, _ in lines:
        assert not free[centre - 4 : centre + 5].any()


def test_few_channels_at_one_end_ask_for_a_constant():
    _, flags = found(make_cube(continuum=5.0, lines=[(70, 16, 60)]))
    assert set(flags) <= {"LOWSPREAD", "LOWBANDWIDTH"}


def test_channels_without_data_are_not_continuum():
    cube = make_cube()
    cube[50:60] = 0
    cube[100] = np.nan
    free, flags = found(cube)
    assert flags == ["ALLCONT"]
    assert not free[50:60].any()
    assert not free[100]


def test_empty_cubes_are_errors():
    with pytest.raises(findcont.NoSpectrum, match="channels hold data"):
        findcont.find(np.zeros((20, 4, 4)), np.ones((4, 4)), 3)
    with pytest.raises(findcont.NoSpectrum, match="primary beam"):
        findcont.find(np.ones((20, 4, 4)), np.full((4, 4), np.nan), 3)


# --- simulated spectra --------------------------------------------------------------------------------


def looked_at(scene, seed):
    """Return the channels that the finder takes for continuum, and its flags."""
    answer = findcont.find(scene.cube(seed), np.ones((spectra.SIDE, spectra.SIDE)), spectra.BEAM)
    free = np.zeros(scene.channels, dtype=bool)
    for first, last in answer["runs"]:
        free[first : last + 1] = True
    return free, answer["flags"]


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("name", sorted(spectra.SCENES))
def test_simulated_lines_stay_out(name, seed):
    scene = spectra.SCENES[name]
    free, flags = looked_at(scene, seed)
    assert "ALLCONT" not in flags
    assert not (free & scene.line_channels()).any()
    quiet = ~scene.line_channels(0.3)
    if quiet.mean() > 0.5:  # most of the band without line stays in
        assert free[quiet].mean() > 0.75


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("name", sorted(spectra.PURE))
def test_simulated_continuum_keeps_nine_tenths(name, seed):
    free, flags = looked_at(spectra.PURE[name], seed)
    assert flags == ["ALLCONT"]
    assert free.mean() >= 0.9


@st.composite
def line_scenes(draw):
    """Draw a band with one to three lines that are well seen: 6 sigma, 12 when all of a line is summed."""
    channels = draw(st.integers(60, 160))
    hanning = draw(st.booleans())
    at = np.arange(float(channels))
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        sigma = draw(st.floats(0.6, channels / 16))
        faintest = max(6.0, 12.0 / np.sqrt(2.5 * sigma)) * (1.6 if hanning else 1)
        peak = faintest * draw(st.floats(1, 30)) * draw(st.sampled_from([1, 1, -1]))
        centre = draw(st.floats(0, channels - 1))
        lines.append((spectra.gauss(at, centre, sigma, peak), spectra.CENTRE))
    return spectra.Scene(
        channels=channels,
        continuum=draw(st.sampled_from([0.0, 20.0, 100.0])),
        slope=draw(st.floats(-0.03, 0.03)),
        hanning=hanning,
        lines=tuple(lines),
    )


@settings(max_examples=20, deadline=None, derandomize=True)
@given(scene=line_scenes(), seed=st.integers(0, 99))
def test_no_line_above_three_sigma_is_let_in(scene, seed):
    free, _ = looked_at(scene, seed)
    assert not (free & scene.line_channels()).any()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    channels=st.integers(25, 160),
    continuum=st.floats(0, 300),
    slope=st.floats(-0.05, 0.05),
    hanning=st.booleans(),
    seed=st.integers(0, 99),
)
def test_pure_continuum_is_kept(channels, continuum, slope, hanning, seed):
    scene = spectra.Scene(channels=channels, continuum=continuum, slope=slope, hanning=hanning)
    free, flags = looked_at(scene, seed)
    assert flags == ["ALLCONT"]
    assert free.mean() >= 0.9


def test_shared_noise_of_channels_is_measured():
    random = np.random.default_rng(5)
    noise = random.normal(size=(202, 400))
    smoothed = 0.25 * noise[:-2] + 0.5 * noise[1:-1] + 0.25 * noise[2:]
    assert windows.correlations(noise) == pytest.approx((0, 0), abs=0.03)
    assert windows.correlations(smoothed) == pytest.approx(windows.HANNING, abs=0.03)
    assert windows.correlations(noise[:3]) == pytest.approx((0, 0), abs=0.2)


# --- forests of bright lines --------------------------------------------------------------------------


def quiet_runs(scene):
    """Return where at least three neighbouring channels hold less than a sigma of line."""
    quiet = ~scene.line_channels(1.0)
    marks = np.zeros(scene.channels, dtype=bool)
    for first, last in wings.runs_of(quiet):
        marks[first : last + 1] = last - first >= 2
    return marks


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", sorted(spectra.FORESTS))
def test_bright_forest_leaves_a_third_of_what_lies_between(name, seed):
    scene = spectra.FORESTS[name].scene(seed)
    free, flags = looked_at(scene, seed)
    assert "ALLCONT" not in flags
    assert not (free & scene.line_channels()).any()
    assert free[quiet_runs(scene)].mean() > 1 / 3


FORESTS = st.builds(
    spectra.Forest,
    channels=st.sampled_from([120, 240, 480]),
    peak=st.floats(200, 2000),
    cover=st.floats(0.4, 0.6),
    absorbed=st.sampled_from([0.0, 0.2]),
    extended=st.booleans(),
)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(forest=FORESTS, seed=st.integers(0, 99))
def test_continuum_is_found_in_any_bright_forest(forest, seed):
    scene = forest.scene(seed)
    free, flags = looked_at(scene, seed)
    assert "ALLCONT" not in flags
    assert free.any()
    assert (free & scene.line_channels()).sum() <= 1  # a range may be a channel too near


def crowd(at):
    """Return lines that touch each other."""
    return sum(spectra.gauss(at, n, 2.5, 200 + 37 * n % 90) for n in range(0, at.size, 4))


def no_two_alike(at):
    """Return a line in every channel, of any strength."""
    return 200 + 100 * np.abs(at % 6 - 3) + np.random.default_rng(1).uniform(0, 200, at.size)


@pytest.mark.parametrize("lines", [crowd, no_two_alike])
def test_lines_everywhere_get_the_least_bad_answer(lines):
    scene = spectra.Scene(lines=((lines(np.arange(120.0)), spectra.CENTRE),))
    free, flags = looked_at(scene, 3)
    assert free.any()
    assert {"LOWBANDWIDTH", "LOWSPREAD"} & set(flags)
