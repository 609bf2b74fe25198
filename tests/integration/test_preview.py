from __future__ import annotations

import numpy as np
import pytest
from making_images import gaussian, make_cube, noise, primary_beam, write_image
from PIL import Image

from reimage.products.fits_image import FitsBlank, open_image
from reimage.products.preview import Companions, write_preview

SIZE = 64
NAME = "uid___A001_X1_X2.NGC_1_sci.spw17.{}.fits"


def drawn(image, tmp_path, **companions):
    path = tmp_path / "preview.png"
    write_preview(image, path, companions=Companions(**companions))
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(float)


def assert_shows_something(pixels):
    """The map is not of one colour, and there is ink for words."""
    height, width = pixels.shape[:2]
    middle = pixels[height // 3 : height * 2 // 3, width // 4 : width // 2]
    assert middle.std() > 2
    assert (pixels.sum(axis=2) < 200).sum() > 500


@pytest.fixture
def response():
    return primary_beam(SIZE, 44.0)


@pytest.fixture
def sky(response):
    level = noise(np.random.default_rng(2), 1, SIZE, 1e-3)[0] + 0.2 * gaussian(SIZE, 32, 32)
    return level / response


def opened(tmp_path, kind, data, **header):
    return open_image(write_image(tmp_path / NAME.format(kind), data, **header))


def test_continuum(tmp_path, sky, response):
    image = opened(tmp_path, "mfs.I.pbcor", sky)
    pb = opened(tmp_path, "mfs.I.pb", response, BUNIT="")
    assert_shows_something(drawn(image, tmp_path, pb=pb))


def test_without_companions(tmp_path, sky):
    assert_shows_something(drawn(opened(tmp_path, "mfs.I.pbcor", sky), tmp_path))


def test_noise_alone_is_shown(tmp_path):
    data = noise(np.random.default_rng(2), 1, SIZE, 1e-3)[0]
    assert_shows_something(drawn(opened(tmp_path, "mfs.I.pbcor", data), tmp_path))


def test_no_data_are_grey_not_dark(tmp_path, sky):
    pixels = drawn(opened(tmp_path, "mfs.I.pbcor", sky), tmp_path)
    grey = (pixels == [0xD5, 0xD5, 0xD8]).all(axis=2)
    assert 0.02 < grey.mean() < 0.4


def test_the_blank_margin_is_cut_off(tmp_path, sky):
    wide = np.full((4 * SIZE, 4 * SIZE), np.nan)
    wide[:SIZE, :SIZE] = sky
    near = drawn(opened(tmp_path, "mfs.I.pbcor", sky), tmp_path)
    far = drawn(opened(tmp_path, "cont.I.pbcor", wide), tmp_path)
    grey = [(pixels == [0xD5, 0xD5, 0xD8]).all(axis=2).mean() for pixels in (near, far)]
    assert grey[1] == pytest.approx(grey[0], abs=0.05)


@pytest.mark.parametrize(
    "lines", [(), [(30.0, 2.0, 30e-3)], [(30.0, 2.0, -30e-3)]], ids=["none", "one", "absorbed"]
)
def test_cubes(tmp_path, lines):
    image = opened(tmp_path, "cube.I.pbcor", make_cube(lines=lines))
    assert_shows_something(drawn(image, tmp_path))


def test_a_line_is_marked_in_the_spectrum(tmp_path):
    orange = []
    for lines in ((), [(30.0, 2.0, 30e-3)]):
        pixels = drawn(opened(tmp_path, "cube.I.pbcor", make_cube(lines=lines)), tmp_path)
        right = pixels[:, pixels.shape[1] * 3 // 5 :]
        orange.append(((right[..., 0] - right[..., 2]) > 60).sum())
    assert orange[0] == 0
    assert orange[1] > 1000


@pytest.mark.parametrize("kind", ["mfs.I.pb", "cont.I.pb.tt0", "cube.I.pb"])
def test_primary_beams(tmp_path, response, kind):
    data = np.broadcast_to(response, (8, SIZE, SIZE)) if "cube" in kind else response
    assert_shows_something(drawn(opened(tmp_path, kind, data, BUNIT=""), tmp_path))


def test_masks(tmp_path):
    mask = gaussian(SIZE, 32, 32) > 0.5
    assert_shows_something(drawn(opened(tmp_path, "mfs.I.mask", mask, BUNIT=""), tmp_path))


@pytest.mark.parametrize("kind", ["mfs.I.mask", "cube.I.mask"])
def test_an_empty_mask_says_so(tmp_path, kind):
    data = np.zeros((8, SIZE, SIZE) if "cube" in kind else (SIZE, SIZE))
    assert drawn(opened(tmp_path, kind, data, BUNIT=""), tmp_path).std() > 0


def test_spectral_index_with_its_error(tmp_path):
    source = gaussian(SIZE, 32, 32)
    alpha = opened(
        tmp_path, "cont.I.alpha", np.where(source > 0.1, -0.7 + source, np.nan), BUNIT=""
    )
    error = opened(tmp_path, "cont.I.alpha.error", 0.05 / np.maximum(source, 1e-3), BUNIT="")
    assert_shows_something(drawn(alpha, tmp_path, alpha_error=error))
    assert_shows_something(drawn(error, tmp_path))


def test_a_spectral_index_that_is_nowhere_certain(tmp_path):
    alpha = opened(tmp_path, "cont.I.alpha", np.full((SIZE, SIZE), 2.0), BUNIT="")
    error = opened(tmp_path, "cont.I.alpha.error", np.full((SIZE, SIZE), 9.0), BUNIT="")
    assert drawn(alpha, tmp_path, alpha_error=error).std() > 0


def test_the_second_taylor_term(tmp_path, sky, response):
    image = opened(tmp_path, "cont.I.tt1.pbcor", -sky)
    pb = opened(tmp_path, "cont.I.pb.tt0", response, BUNIT="")
    assert_shows_something(drawn(image, tmp_path, pb=pb))


def test_a_header_that_says_little(tmp_path):
    path = write_image(
        tmp_path / "odd.fits", make_cube(n_channels=6), drop=["BMAJ", "BMIN", "OBJECT", "BUNIT"]
    )
    assert_shows_something(drawn(open_image(path), tmp_path))


@pytest.mark.parametrize("shape", [(SIZE, SIZE), (4, SIZE, SIZE)])
def test_a_blank_image_has_no_picture(tmp_path, shape):
    image = opened(tmp_path, "mfs.I.pbcor", np.full(shape, np.nan))
    with pytest.raises(FitsBlank):
        write_preview(image, tmp_path / "preview.png")
    assert not (tmp_path / "preview.png").exists()


def test_the_same_image_gives_the_same_file(tmp_path, sky):
    image = opened(tmp_path, "mfs.I.pbcor", sky)
    for name in ("a.png", "b.png"):
        write_preview(image, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_constant_image_is_drawn(tmp_path, value):
    image = opened(tmp_path, "mfs.I.pbcor", np.full((SIZE, SIZE), value))
    assert drawn(image, tmp_path).std() > 0
