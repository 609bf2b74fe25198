"""The version matrix of a database, and ``reimage matrix``."""

from __future__ import annotations

import pytest
from living import KEYS, walk
from sqlalchemy import update

from reimage.desk import matrix
from reimage.desk.matrix import Flip
from reimage.model import Product, ProductState, Result
from reimage.store import products
from reimage.store.filters import FilterMalformed
from reimage.store.run_tables import Run
from reimage.triage.catalogue import load_classes

CLASSES = load_classes()


def run(session, name, key, build, result, judged=("core-dump", None), *, rms=None):  # noqa: PLR0917 -- a row of a table
    run_id = walk(session, name, key, result, judged)
    session.execute(update(Run).where(Run.id == run_id).values(build=build))
    if rms is not None:
        made = Product(
            name="a.cont.fits", kind="pbcor", image="a", target="t", spws="0", specmode="cont",
            state=ProductState.MADE, reason=None, n_bytes=2880, numbers={"rms_jy_beam": rms},
        )  # fmt: skip
        products.replace(session, run_id, [made])


@pytest.fixture
def known(database):
    """Give a database where three datasets ran with two builds, one of them on a full disk in between."""
    with database.write() as session:
        run(session, "a1", KEYS[0], "old", Result.IMAGED, rms=1e-5)
        run(session, "a2", KEYS[0], "new", Result.FAILED)
        run(session, "b1", KEYS[1], "old", Result.IMAGED, rms=1e-5)
        run(session, "b2", KEYS[1], "new", Result.IMAGED, rms=2e-5)
        run(session, "b3", KEYS[1], "new", Result.FAILED, ("file-system-failed", None))
        run(session, "c1", KEYS[2], "old", Result.LOST, ("lost", None))
        run(session, "c2", KEYS[2], "new", Result.REFUSED, ("proprietary", None))
    return database


def test_each_dataset_shows_the_newest_run_that_says_something(known):
    found = matrix.read(known, "alma", CLASSES)
    assert found.columns == ("old", "new")
    runs = {row.dataset: [cell.run for cell in row.cells] for row in found.rows}
    assert runs == {KEYS[0]: ["a1", "a2"], KEYS[1]: ["b1", "b2"], KEYS[2]: ["c1", "c2"]}
    assert [row.flips for row in found.rows] == [(Flip.FAILS,), (), ()]
    (one,) = found.comparisons
    assert (one.both, one.newly_failing, one.newly_passing) == (2, 1, 0)
    assert found.rows[1].cells[1].numbers.rms_ratio == pytest.approx(2)
    assert found.rows[0].cells[1].numbers is None


def test_datasets_are_chosen_by_name_and_by_filter(known):
    named = matrix.read(known, "alma", CLASSES, keys=[KEYS[1]])
    assert [row.dataset for row in named.rows] == [KEYS[1]]
    banded = matrix.read(known, "alma", CLASSES, where="band = 7")
    assert [row.dataset for row in banded.rows] == [KEYS[1]]
    assert matrix.read(known, "alma", CLASSES, keys=[]).rows == ()
    assert matrix.read(known, "sun", CLASSES).columns == ()
    with pytest.raises(FilterMalformed):
        matrix.read(known, "alma", CLASSES, where="colour = 'red'")


def test_rows_are_cut_and_comparisons_are_of_all(known):
    cut = matrix.read(known, "alma", CLASSES, limit=1)
    assert (len(cut.rows), cut.datasets, cut.comparisons[0].both) == (1, 3, 2)
    assert len(matrix.read(known, "alma", CLASSES, flips_only=True).rows) == 1
