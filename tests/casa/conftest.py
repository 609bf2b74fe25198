"""The real CASA of the tests: the default build, made once in the user's cache."""

from __future__ import annotations

import pytest

from reimage import settings
from reimage.casa import builds, environments


@pytest.fixture(scope="session")
def cache():
    """Give the user's cache: environments and simulated data stay between test runs."""
    return settings.load(environ={}).cache


@pytest.fixture(scope="session")
def casa(cache, tmp_path_factory):
    """Give the default build, probed."""
    row = environments.select(environments.default_version())
    builds_dir = tmp_path_factory.mktemp("casa") / "builds"
    return builds.install(row, cache=cache, builds_dir=builds_dir, report=print)
