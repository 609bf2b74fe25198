from __future__ import annotations

import numpy as np
import psutil
import pytest
from astropy.io import fits
from making_images import BEAM, CHANNEL_HZ, DEC, FREQUENCY, PIXEL, RA, write_image

from reimage.products.fits_image import FitsNotSky, FitsTruncated, FitsUnreadable, open_image


def test_a_cube_is_channel_y_x(tmp_path):
    data = np.arange(3 * 4 * 5.0).reshape(3, 4, 5)
    image = open_image(write_image(tmp_path / "a.fits", data))
    assert image.is_cube
    assert image.shape == (4, 5)
    assert image.unit == "Jy/beam"
    assert image.target == "NGC_1"
    np.testing.assert_array_equal(image.plane(2), data[2])
    assert image.plane().dtype == np.dtype("=f4")
    assert image.frequency_hz is not None
    np.testing.assert_allclose(image.frequency_hz, FREQUENCY + CHANNEL_HZ * np.arange(3))
    assert image.channel_hz == pytest.approx(CHANNEL_HZ)


def test_pixels_stay_on_disk(tmp_path):
    path = write_image(tmp_path / "a.fits", np.zeros((64, 256, 256)))  # 17 MB
    image = open_image(path)
    before = resident()
    for _ in image.planes():
        pass
    assert resident() - before < 6e6
    assert np.asarray(image.data).sum() == 0  # what this test would see if they did not
    assert resident() - before > 12e6


def resident():
    return psutil.Process().memory_info().rss


def test_the_axes_are_found_in_any_order(tmp_path):
    data = np.arange(3 * 4 * 5.0, dtype=np.float32).reshape(3, 4, 5)
    usual = open_image(write_image(tmp_path / "usual.fits", data))
    header = usual.header.copy()
    for key in ("CTYPE", "CRVAL", "CDELT", "CRPIX", "CUNIT"):  # STOKES before FREQ
        header[f"{key}3"], header[f"{key}4"] = usual.header[f"{key}4"], usual.header[f"{key}3"]
    fits.writeto(tmp_path / "old.fits", data[:, np.newaxis], header)
    old = open_image(tmp_path / "old.fits")
    np.testing.assert_array_equal(old.data, data)
    np.testing.assert_allclose(old.frequency_hz, usual.frequency_hz)


def test_two_axes_are_enough(tmp_path):
    header = open_image(write_image(tmp_path / "a.fits", np.zeros((4, 5)))).header.copy()
    for key in ("CTYPE", "CRVAL", "CDELT", "CRPIX", "CUNIT"):
        del header[f"{key}3"], header[f"{key}4"]
    fits.writeto(tmp_path / "b.fits", np.ones((4, 5), dtype=np.float32), header)
    image = open_image(tmp_path / "b.fits")
    assert image.data.shape == (1, 4, 5)
    assert image.frequency_hz is None
    assert not image.is_cube


def test_of_several_stokes_the_first_is_taken(tmp_path):
    data = np.arange(4 * 1 * 4 * 5.0).reshape(4, 1, 4, 5)
    image = open_image(write_image(tmp_path / "a.fits", data))
    np.testing.assert_array_equal(image.plane(), data[0, 0])


@pytest.mark.parametrize(
    ("ctype", "at", "step", "second_hz"),
    [
        ("VRAD", 0.0, 1e5, FREQUENCY * (1 - 1e5 / 299792458)),
        ("VOPT", 0.0, 1e5, FREQUENCY / (1 + 1e5 / 299792458)),
    ],
)
def test_velocities_become_frequencies(tmp_path, ctype, at, step, second_hz):
    data = np.zeros((2, 4, 5))
    path = write_image(
        tmp_path / "a.fits", data, CTYPE3=ctype, CRVAL3=at, CDELT3=step, CUNIT3="m/s"
    )
    image = open_image(path)
    assert image.frequency_hz is not None
    np.testing.assert_allclose(image.frequency_hz, [FREQUENCY, second_hz])


def test_velocities_without_a_rest_frequency_say_nothing(tmp_path):
    path = write_image(
        tmp_path / "a.fits", np.zeros((2, 4, 5)), drop=["RESTFRQ"], CTYPE3="VRAD", CUNIT3="m/s"
    )
    assert open_image(path).frequency_hz is None


def test_the_header_has_one_beam(tmp_path):
    image = open_image(write_image(tmp_path / "a.fits", np.zeros((4, 5))))
    assert image.beam is not None
    assert image.beam.major_arcsec == pytest.approx(BEAM[0])
    assert image.beam.axial_ratio == pytest.approx(1.5)
    wanted = np.pi * BEAM[0] * BEAM[1] / (4 * np.log(2)) / PIXEL**2
    assert image.pixels_per_beam == pytest.approx(wanted)


def test_of_a_beam_per_channel_the_middle_one_stands_for_all(tmp_path):
    beams = [(0.0, 0.0, 0.0), (2.0, 1.0, 10.0), (4.0, 1.0, 20.0), (3.0, 1.0, 15.0)]
    image = open_image(write_image(tmp_path / "a.fits", np.zeros((4, 4, 5)), beams=beams))
    assert image.beams[0] is None
    assert image.beam is not None
    assert image.beam.major_arcsec == pytest.approx(3.0)


def test_an_image_may_have_no_beam(tmp_path):
    path = write_image(tmp_path / "a.fits", np.zeros((4, 5)), drop=["BMAJ", "BMIN", "BPA"])
    image = open_image(path)
    assert image.beam is None
    assert image.pixels_per_beam is None


def test_finite_is_finite_in_any_channel(tmp_path):
    data = np.full((2, 4, 5), np.nan)
    data[0, 1, 1] = data[1, 2, 2] = 1.0
    finite = open_image(write_image(tmp_path / "a.fits", data)).finite()
    assert set(zip(*np.nonzero(finite), strict=True)) == {(1, 1), (2, 2)}


def test_the_reference_pixel_is_where_the_header_says(tmp_path):
    image = open_image(write_image(tmp_path / "a.fits", np.zeros((40, 40))))
    sky = image.wcs.pixel_to_world(20, 20)
    assert (sky.ra.deg, sky.dec.deg) == (pytest.approx(RA), pytest.approx(DEC))


def test_a_file_of_something_else_is_said_to_be(tmp_path):
    path = tmp_path / "a.fits"
    path.write_text("SIMPLETON")
    with pytest.raises(FitsUnreadable):
        open_image(path)
    with pytest.raises(FitsUnreadable):
        open_image(tmp_path / "absent.fits")


def test_an_empty_first_hdu_is_no_image(tmp_path):
    fits.PrimaryHDU().writeto(tmp_path / "a.fits")
    with pytest.raises(FitsUnreadable):
        open_image(tmp_path / "a.fits")


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_cut_short_is_found_out(tmp_path, share):
    path = write_image(tmp_path / "a.fits", np.zeros((8, 40, 40)))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FitsTruncated) as caught:
        open_image(path)
    assert caught.value.evidence["n_bytes"] < caught.value.evidence["wanted"]


def test_an_image_of_no_sky_is_refused(tmp_path):
    fits.writeto(tmp_path / "a.fits", np.zeros((4, 5), dtype=np.float32))
    with pytest.raises(FitsNotSky):
        open_image(tmp_path / "a.fits")
