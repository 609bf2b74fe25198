"""What contract tests share: everything that the store executes, recorded once."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def statements(tmp_path_factory):
    """Do everything once on SQLite; give what was executed."""
    from everything import recorded  # noqa: PLC0415 -- only where it is asked for

    return recorded(tmp_path_factory.mktemp("statements"))
