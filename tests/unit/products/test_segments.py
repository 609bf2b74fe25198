from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making_images import flat, gaussian, line_profile, make_cube, noise, primary_beam, write_image

from reimage.products.segments import Finder, Segment, _disjoint, _split, find_segments


def found(tmp_path, cube, **header):
    _, segments = find_segments(flat(write_image(tmp_path / "cube.fits", cube, **header)))
    return segments


def ends(segments):
    return [(segment.first_channel, segment.last_channel) for segment in segments]


def assert_within_a_channel(segments, wanted):
    assert len(segments) == len(wanted)
    for segment, (first, last) in zip(segments, wanted, strict=True):
        assert abs(segment.first_channel - first) <= 1
        assert abs(segment.last_channel - last) <= 1


@pytest.mark.parametrize("seed", range(6))
def test_noise_has_no_lines(tmp_path, seed):
    assert found(tmp_path, make_cube(seed=seed)) == ()


@pytest.mark.parametrize("peak", [10e-3, 40e-3])
def test_a_line_reaches_from_one_sigma_to_one_sigma(tmp_path, peak):
    segments = found(tmp_path, make_cube(lines=[(30.0, 2.0, peak)]))
    reach = 2.0 * np.sqrt(2 * np.log(peak / 1e-3))
    assert_within_a_channel(segments, [(np.ceil(30 - reach), np.floor(30 + reach))])
    assert segments[0].sign == "emission"
    assert abs(segments[0].peak_channel - 30) <= 1
    assert segments[0].peak_snr == pytest.approx(peak / 1e-3, rel=0.25)


def test_a_wide_line_that_is_weak_in_every_channel_is_found(tmp_path):
    cube = make_cube(lines=[(32.0, 4.0, 5e-3)])  # 5 sigma at its peak, 13 sigma matched
    (segment,) = found(tmp_path, cube)
    assert segment.first_channel <= 28
    assert segment.last_channel >= 36


def test_absorption_is_found_and_called_so(tmp_path):
    cube = make_cube(lines=[(20.0, 1.5, -20e-3), (45.0, 1.5, 20e-3)])
    assert [segment.sign for segment in found(tmp_path, cube)] == ["absorption", "emission"]


def test_lines_two_widths_apart_are_two(tmp_path):
    segments = found(tmp_path, make_cube(lines=[(28.0, 1.5, 30e-3), (36.0, 1.5, 12e-3)]))
    assert [segment.peak_channel for segment in segments] == [28, 36]
    assert segments[0].last_channel < segments[1].first_channel


def test_continuum_is_no_line_and_hides_none(tmp_path):
    cube = make_cube(lines=[(20.0, 1.5, -15e-3)], continuum=50e-3)
    scan, segments = find_segments(flat(write_image(tmp_path / "cube.fits", cube)))
    assert [segment.sign for segment in segments] == ["absorption"]
    assert scan.continuum is not None
    assert scan.continuum[24, 24] == pytest.approx(50e-3, rel=0.02)


def test_a_cube_without_continuum_keeps_its_values(tmp_path):
    scan, _ = find_segments(flat(write_image(tmp_path / "cube.fits", make_cube())))
    assert scan.continuum is None


def test_blank_channels_are_stepped_over(tmp_path):
    cube = make_cube(lines=[(30.0, 2.0, 30e-3)])
    cube[:3] = cube[-2:] = cube[10] = np.nan
    assert_within_a_channel(found(tmp_path, cube), [(25, 35)])


def test_a_bad_first_channel_is_no_line(tmp_path):
    cube = make_cube(seed=4)
    cube[0] += 20e-3 * gaussian(48, 24, 24)
    assert found(tmp_path, cube) == ()


def test_lines_are_found_on_a_corrected_cube_with_its_beam(tmp_path):
    response = primary_beam(48, 34.0)
    cube = make_cube(lines=[(30.0, 2.0, 30e-3)]) / response
    path = write_image(tmp_path / "cube.fits", cube)
    pb = write_image(tmp_path / "pb.fits", np.broadcast_to(response, cube.shape), BUNIT="")
    _, segments = find_segments(flat(path, pb))
    assert_within_a_channel(segments, [(25, 35)])


def test_five_channels_are_a_cube(tmp_path):
    assert found(tmp_path, make_cube(n_channels=5)) == ()


def test_a_rising_noise_is_no_line(tmp_path):
    rms = np.linspace(1.0, 3.0, 64)[:, np.newaxis, np.newaxis]
    assert found(tmp_path, noise(np.random.default_rng(5), 64, 48, 1e-3) * rms) == ()


@given(st.lists(st.floats(0, 60), min_size=2, max_size=40))
@settings(max_examples=60)
def test_splitting_loses_no_channel(values):
    spectrum = np.array(values)
    parts = _split(spectrum, slice(0, spectrum.size), Finder())
    covered = [channel for part in parts for channel in range(part.start, part.stop)]
    assert covered == list(range(spectrum.size))


def test_one_profile_is_not_split():
    spectrum = 40 * line_profile(30, 15, 3)
    assert _split(spectrum, slice(0, 30), Finder()) == [slice(0, 30)]


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 9), st.integers(0, 9), st.floats(5, 60)),
        max_size=8,
    )
)
def test_segments_share_no_channel(items):
    segments = [
        Segment(
            first_channel=peak - min(before, peak),
            last_channel=peak + after,
            sign="emission",
            peak_channel=peak,
            peak_snr=snr,
        )
        for peak, before, after, snr in items
    ]
    kept = _disjoint(segments)
    channels = [channel for segment in kept for channel in segment.channels]
    assert len(channels) == len(set(channels))
    assert bool(kept) == bool(segments)


def test_the_ragged_edge_of_the_field_is_no_continuum(tmp_path):
    cube = make_cube(n_channels=35, rms=1e-3)
    cube[3:, :, 40:] = np.nan  # known in three channels only
    scan, _ = find_segments(flat(write_image(tmp_path / "cube.fits", cube)))
    assert scan.continuum is None
