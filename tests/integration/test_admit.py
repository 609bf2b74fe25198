from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from making_images import FREQUENCY, flat, make_cube, write_image

from reimage.products.admit import write_admit
from reimage.products.cube import analyse
from reimage.products.fits_image import FitsBlank, open_image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two lines, a blank channel, continuum left in."""
    root = tmp_path_factory.mktemp("admit")
    cube = make_cube(lines=[(20.0, 2.0, 40e-3), (45.0, 1.5, -20e-3)], continuum=0.03)
    cube[3] = np.nan
    path = write_image(root / "NGC_1_sci.spw17.cube.I.pbcor.fits", cube)
    directory = root / "a.admit"
    write_admit(analyse(flat(path)), directory)
    return directory


def test_the_summary_is_json_with_segments_from_0(folder):
    summary = json.loads((folder / "admit.json").read_text())
    first, second = summary["segments"]
    assert first["first_channel"] <= 16
    assert 24 <= first["last_channel"] <= 27
    assert first["first_hz"] == FREQUENCY + (first["first_channel"] - 0.5) * 2e6
    assert [first["sign"], second["sign"]] == ["emission", "absorption"]
    assert second["flux_jy_km_s"] < 0 < first["flux_jy_km_s"]
    assert summary["lines"] == []
    assert summary["caveats"] == ["continuum-left-in", "blank-channels:1"]


def test_the_tables_can_be_read(folder):
    channels = QTable.read(folder / "channels.ecsv")
    spectrum = QTable.read(folder / "spectrum.ecsv")
    segments = QTable.read(folder / "segments.ecsv")
    assert len(channels) == len(spectrum) == 64
    assert channels["sigma"].unit == "Jy / beam"
    assert np.isnan(channels["sigma"][3])
    assert spectrum["integrated"].unit == "Jy"
    assert list(segments["sign"]) == ["emission", "absorption"]


def test_the_maps_are_images_of_the_sky(folder):
    for name in ("peak", "cubesum", "line1.moment0", "line1.moment0.clipped", "line2.moment0"):
        image = open_image(folder / f"{name}.fits")
        assert image.shape == (48, 48)
        assert image.beam is not None
    assert fits.getheader(folder / "line1.moment0.fits")["BUNIT"] == "Jy/beam.km/s"


def test_the_page_shows_every_picture_and_needs_nothing_from_elsewhere(folder):
    page = (folder / "index.html").read_text()
    for picture in folder.glob("*.png"):
        assert f'src="{picture.name}"' in page
    for name in folder.iterdir():
        if name.suffix in (".ecsv", ".json", ".fits"):
            assert f'href="{name.name}"' in page
    assert "//" not in page.replace("<!doctype", "")


def test_it_replaces_what_was_there_and_leaves_no_part(tmp_path):
    path = write_image(tmp_path / "cube.fits", make_cube(n_channels=16, size=24))
    directory = tmp_path / "cube.admit"
    for folder in (directory, tmp_path / "cube.admit.part"):
        folder.mkdir()
        (folder / "old").touch()
    summary = write_admit(analyse(flat(path)), directory)
    assert summary["segments"] == []
    assert not (directory / "old").exists()
    assert not (tmp_path / "cube.admit.part").exists()
    assert len(QTable.read(directory / "segments.ecsv")) == 0


def test_a_header_without_frequencies(tmp_path):
    cube = make_cube(lines=[(20.0, 2.0, 40e-3)])
    path = write_image(tmp_path / "a.fits", cube, drop=["RESTFRQ"], CTYPE3="VRAD", CUNIT3="m/s")
    summary = write_admit(analyse(flat(path)), tmp_path / "a.admit")
    assert summary["segments"][0]["first_hz"] is None
    assert "None" not in (tmp_path / "a.admit" / "index.html").read_text()


def test_a_header_without_a_beam(tmp_path):
    cube = make_cube(lines=[(20.0, 2.0, 40e-3)])
    path = write_image(tmp_path / "a.fits", cube, drop=["BMAJ", "BMIN"])
    summary = write_admit(analyse(flat(path)), tmp_path / "a.admit")
    assert summary["segments"][0]["flux_jy_km_s"] is None


def test_a_blank_cube_has_no_directory(tmp_path):
    path = write_image(tmp_path / "a.fits", np.full((8, 16, 16), np.nan))
    with pytest.raises(FitsBlank):
        write_admit(analyse(flat(path)), tmp_path / "a.admit")
    assert not (tmp_path / "a.admit").exists()
