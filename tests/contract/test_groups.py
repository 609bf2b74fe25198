"""What CASA makes for the tests of a module is made once: `make test` has two processes."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "casa"


def test_who_shares_what_casa_made_runs_in_one_process():
    shares = {
        path.name: "xdist_group(" in text or "each_at_once(" in text
        for path in sorted(FOLDER.glob("test_*.py"))
        if re.search(r'scope="(module|session)"', text := path.read_text())
    }
    assert len(shares) > 10
    assert [name for name, is_grouped in shares.items() if not is_grouped] == []
