"""What the ALMA pipeline leaves beside its images."""

from __future__ import annotations

import pytest

from reimage.imaging import pipeline_beside
from reimage.imaging.pipeline_steps import ExportedFile
from reimage.model import ProductState
from tests.making import make_tree

HEAD = "ms,field,spw,I,Q,U,V,spix\n"


@pytest.fixture
def rows(tmp_path):
    """Give a function that puts files into ``products`` and ``working`` and returns the rows."""

    def look(products=(), working=(), without_weblog=None):
        make_tree(tmp_path / "image" / "products", dict.fromkeys(products, "x"))
        make_tree(tmp_path / "image" / "working", {"cont.dat": "", **dict(working)})
        (tmp_path / "image" / "products").mkdir(exist_ok=True)
        found = pipeline_beside.rows(
            tmp_path / "image",
            tmp_path,
            {name: ExportedFile(bytes=1) for name in products},
            dataset="uid://A001/X1/X2",
            without_weblog=without_weblog,
        )
        kept = [row for row in found if row.kind != "cont.dat"]
        for row in kept:
            if row.state is ProductState.MADE:
                assert (tmp_path / row.path).stat().st_size == row.n_bytes
        return [(row.kind, row.name, row.state.value) for row in kept]

    return look


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("uid___A002_X1_X2.ms.calapply.txt", "calapply"),
        ("uid___A002_X1_X2.ms.flagversions.tgz", "flagversions"),
        ("uid___A002_X1_X2.ms.flagversions.tar.gz", "flagversions"),
        ("uid___A001_X1_X2session_1.caltables.tar.gz", "caltables"),
        ("uid___A001_X1_X2.hifa_image.casa_piperestorescript.py", "restorescript"),
        ("casa_piperestorescript.py", "restorescript"),
        ("uid___A001_X1_X2.weblog.tar.gz", "weblog"),
        ("uid___A001_X1_X2.flux.csv", "flux.csv"),
    ],
)
def test_kinds_of_all_years(rows, name, kind):
    assert rows([name]) == [(kind, name, "made")]


def test_a_weblog_that_was_not_written_is_absent_whatever_was_exported(rows):
    assert rows(["x.weblog.tar.gz"], without_weblog="why") == [
        ("weblog", "x.weblog.tar.gz", "absent")
    ]


def test_flux_densities_are_taken_from_where_the_pipeline_works(rows):
    """Releases since Cycle 5 export them inside a bundle only."""
    wanted = [("flux.csv", "uid___A001_X1_X2.flux.csv", "made")]
    assert rows(working={"flux.csv": HEAD + "a,0,0,1.0\n"}) == wanted
    assert rows(["uid___A001_X1_X2.flux.csv"], {"flux.csv": HEAD + "a,0,0,1.0\n"}) == wanted


def test_a_table_of_flux_densities_without_any_is_none(rows):
    assert rows(working={"flux.csv": HEAD}) == []
