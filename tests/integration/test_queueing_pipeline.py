"""A recipe for the ALMA pipeline is refused before it is queued where nothing could carry it out."""

from __future__ import annotations

import pytest
from making import MOUS, WHEN, make_build

from reimage import document
from reimage.casa.imaging import PipelineNotInBuild
from reimage.queueing import make_run
from reimage.recipes.translate import RecipeNotInDialect
from reimage.store import datasets

PIPELINE = ["engine=pipeline"]


@pytest.fixture
def site(settings, database):
    """Give a function that registers builds by the version of their pipeline."""
    settings.builds_dir.mkdir(parents=True)
    with database.write() as session:
        datasets.sync(session, "alma", [(MOUS, {"mous": MOUS})], at=WHEN)

    def register(*pipelines):
        for number, pipeline in enumerate(pipelines):
            build = make_build(id=f"b{number}", probed_at=WHEN, pipeline=pipeline)
            document.write(settings.builds_dir / f"{build.id}.json", build)

    return register


def test_without_a_pipeline_it_is_not_queued(settings, database, site):
    site(None)
    with pytest.raises(PipelineNotInBuild):
        make_run(settings, database, dataset=MOUS, overrides=PIPELINE)
    assert make_run(settings, database, dataset=MOUS).run


def test_a_pipeline_that_lacks_a_step_is_named(settings, database, site):
    site("r38377")
    with pytest.raises(RecipeNotInDialect, match="hifa_imageprecheck"):
        make_run(settings, database, dataset=MOUS, recipe="hifa-image", overrides=PIPELINE)


def test_with_one_it_is_queued(settings, database, site):
    site(None, "2025.1.0.35")
    assert make_run(settings, database, dataset=MOUS, overrides=PIPELINE).run
