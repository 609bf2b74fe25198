"""What is going on while images are made outside a run: a line for each event, and when it may end.

On a terminal what is being done now stands below the lines, with the time at which it was begun.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from rich.console import Console, Group
from rich.text import Text

from reimage.cli import progress, render
from reimage.journal import Event, Journal

WEIGHTS: Mapping[str, float] = MappingProxyType({"cube": 8.0, "repBW": 8.0, "cont": 1.5})
"""How much longer than an image of one spw another one takes, about; only the estimate depends on it."""
MINUTE_S = 60.0
"""Below this an estimate is no more than that."""
_ENDED = ("image.made", "image.absent")
_NEXT: Mapping[str, str] = MappingProxyType(
    {
        "ms.column": "preparing the targets",
        "image.split": "choosing cells and sizes",
        "image.target": "choosing cells and sizes",
        "image.planned": "looking for continuum",
        "image.continuum": "looking for continuum",
        "image.subtracted": "continuum is subtracted",
    }
)
"""What is done after an event, as long as no image is begun."""


class Estimate:
    """When the last image will be made, from what those made so far have taken."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[str, float] = {}
        self._done, self._begun = 0.0, math.nan

    def plan(self, images: Iterable[str]) -> None:
        """Take up the images that are to be made, by id."""
        self._left = {image: WEIGHTS.get(image.rpartition(".")[2], 1.0) for image in images}

    def start(self) -> None:
        """Take notice that an image is begun; the first one starts the clock."""
        self._begun = self._clock() if math.isnan(self._begun) else self._begun

    def end(self, image: str) -> None:
        """Take notice that an image is made, or given up."""
        self._done += self._left.pop(image, 0.0)

    @property
    def seconds(self) -> float | None:
        """How long it still takes; None while nothing is known."""
        if math.isnan(self._begun) or not self._done or not self._left:
            return None
        return (self._clock() - self._begun) / self._done * sum(self._left.values())


class ImageBoard(progress.OnTerminal):
    """Shows events as they come and writes them into the journal.

    It draws when something happens and never from a thread of its own: CASA is started by forking.
    Images are counted here, since processes that work side by side do not know of each other's.
    """

    def __init__(
        self,
        journal: Journal,
        kept: Callable[[], Collection[str]] = tuple,
        *,
        console: Console | None = None,
    ) -> None:
        """Begin; ``kept`` tells, once there is a plan, which images an earlier start has done."""
        self._journal, self._kept = journal, kept
        self._estimate = Estimate()
        self._planned: tuple[str, ...] = ()
        self._done: set[str] = set()
        self._making: dict[str, str] = {}
        self._has_steps = False
        self._doing, self._since = "looking at the data", f", since {datetime.now(UTC):%H:%M:%S}"
        super().__init__(console, refreshed=False)

    def present(self) -> Group:
        """Return a line for each image that is being made, or what is done else."""
        lines = [f"{image} …{since}" for image, since in self._making.items()] or [
            self._doing + self._since
        ]
        return Group(
            *(Text(line, style="cyan", overflow="ellipsis", no_wrap=True) for line in lines)
        )

    def emit(self, event: str, **data: Any) -> None:  # noqa: ANN401 -- an event's own keys
        """Keep an event, and show it."""
        self._journal.emit(event, **data)
        at = datetime.now(UTC)
        self._reckon(event, data, at)
        told = Event(attempt=1, seq=0, at=at, event=event, data={**data, **self._count(event)})
        said = progress.describe(told)
        if said is not None:
            line = Text.assemble((f"{at:%H:%M:%S}  ", "dim"), said, (self._aside(event, at), "dim"))
            self._console.print(line, soft_wrap=True)
        if self._console.is_terminal:
            self._live.refresh()

    def _reckon(self, event: str, data: Mapping[str, Any], at: datetime) -> None:
        since = f", since {at:%H:%M:%S}"
        if event == "image.planned":
            kept = self._kept()
            self._planned = tuple(_name(image) for image in data["images"])
            self._done = {image for image in self._planned if image in kept}
            self._estimate.plan(image for image in self._planned if image not in kept)
        elif event == "image.started":
            self._estimate.start()
            self._making[str(data["image"])] = since
        elif event in _ENDED:
            self._estimate.end(str(data["image"]))
            self._done.add(str(data["image"]))
            self._making.pop(str(data["image"]), None)
        self._has_steps = self._has_steps or event == "step.started"
        doing = self._doing if self._has_steps else _NEXT.get(event, self._doing)
        if self._planned and len(self._done) >= len(self._planned):
            doing = "measuring, and writing the weblog"
        elif event == "step.started":
            doing = str(data.get("step"))
        if doing != self._doing:
            self._doing, self._since = doing, since

    def _count(self, event: str) -> dict[str, int]:
        if event not in _ENDED or not self._planned:
            return {}
        return {"k": len(self._done), "n": len(self._planned)}

    def _aside(self, event: str, at: datetime) -> str:
        """Return what is said after an event: what is there already, or when all may be."""
        left = self._estimate.seconds
        if event == "image.planned" and self._done:
            return f", {len(self._done)} of them done by an earlier start"
        if left is None or event not in _ENDED:
            return ""
        if left < MINUTE_S:
            return "  (less than a minute left)"
        return (
            f"  (about {render.seconds(left)} left, until {at + timedelta(seconds=left):%H:%M} UTC)"
        )


def _name(image: Any) -> str:  # noqa: ANN401 -- an id, or an object that has one
    return str(image["id"] if isinstance(image, Mapping) else image)
