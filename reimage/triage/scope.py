"""Where an error class can be met: stages, versions of CASA, recipes, days of observation."""

from __future__ import annotations

from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reimage.model import Stage
from reimage.triage.bounds import Bounds, within

Words = Annotated[tuple[str, ...], Field(min_length=1)]


class Scope(BaseModel):
    """Where a class can be met: it does not hold for what is known to be elsewhere.

    What a text brought from outside does not tell (its stage, its CASA) excludes nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: tuple[Stage, ...] | None = None
    builds: Bounds | None = None
    """Versions of the CASA that spoke: ``>=6.5,<6.7``."""
    recipe: Words | None = None
    """Ids of recipes; ``*`` stands for any letters."""
    observed_since: date | None = None
    """First day of the observation on which it can be met."""
    observed_before: date | None = None

    def __len__(self) -> int:
        """Return how many keys are given: of two classes, the narrower one is asked first."""
        return len(self.model_fields_set)

    def words(self) -> str:
        """Return it in words, empty where it has no bounds."""
        told = (
            ("stage", ", ".join(self.stage or ())),
            ("CASA", self.builds),
            ("recipe", ", ".join(self.recipe or ())),
            ("observed since", self.observed_since),
            ("observed before", self.observed_before),
        )
        return "; ".join(f"{name} {value}" for name, value in told if value)

    def covers_run(self, recipe: str | None, observed_at: datetime | None) -> bool:
        """Whether a run may be within it."""
        if recipe and self.recipe and not any(fnmatchcase(recipe, one) for one in self.recipe):
            return False
        if observed_at is None:
            return True
        since, before = self.observed_since, self.observed_before
        day = observed_at.date()
        return (since is None or day >= since) and (before is None or day < before)

    def covers(self, stage: Stage | None, casa: str | None) -> bool:
        """Whether what was said in a stage, by a version of CASA, may be within it."""
        if self.stage is not None and stage is not None and stage not in self.stage:
            return False
        return self.builds is None or casa is None or within(casa, self.builds)
