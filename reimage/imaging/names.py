"""What the files that go with the images are called, by year.

Until 2017 (Cycle 4) the member OUS alone, or nothing, stands before; since then the recipe's name too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from reimage.recipes import Recipe
from reimage.uid import path_name

PROCEDURE_SINCE = 2018
_FILES: Mapping[str, str] = {
    "casa_commands": "casa_commands.log",
    "casa_pipescript": "casa_pipescript.py",
    "manifest": "pipeline_manifest.xml",
    "weblog": "weblog.tgz",
}
_BARE = frozenset({"casa_pipescript"})
"""Had no prefix until 2017."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of one dataset's files."""

    ous: str
    procedure: str
    """``hifatargets``, ``hifa_image``: the recipe without its year."""
    naming: int

    @classmethod
    def of(cls, recipe: Recipe, dataset: str) -> Names:
        """Return the names that a recipe gives."""
        procedure = re.sub(r"-\d{4}$", "", recipe.id).replace("-", "_")
        return cls(ous=path_name(dataset), procedure=procedure, naming=recipe.naming)

    def name(self, kind: str) -> str:
        """Return the name of the file of a kind; other kinds than ours go by the member OUS."""
        if kind not in _FILES:
            return f"{self.ous}.{kind}"
        if self.naming >= PROCEDURE_SINCE:
            return f"{self.ous}.{self.procedure}.{_FILES[kind]}"
        return _FILES[kind] if kind in _BARE else f"{self.ous}.{_FILES[kind]}"
