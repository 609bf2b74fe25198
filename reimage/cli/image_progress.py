"""What is going on while images are made outside a run: a line for each event, and when it may end."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.text import Text

from reimage.cli import progress, render
from reimage.journal import Event, Journal

WEIGHTS: Mapping[str, float] = MappingProxyType({"cube": 8.0, "repBW": 8.0, "cont": 1.5})
"""How much longer than an image of one spw another one takes, about; only the estimate depends on it."""
_ENDED = ("image.made", "image.absent")


class Estimate:
    """When the last image will be made, from what those made so far have taken."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[str, float] = {}
        self._done, self._begun = 0.0, 0.0

    def plan(self, images: Iterable[str]) -> None:
        """Take up the images that are to be made, by id."""
        self._left = {image: WEIGHTS.get(image.rpartition(".")[2], 1.0) for image in images}

    def start(self) -> None:
        """Take notice that an image is begun; the first one starts the clock."""
        self._begun = self._begun or self._clock()

    def end(self, image: str) -> None:
        """Take notice that an image is made, or given up."""
        self._done += self._left.pop(image, 0.0)

    @property
    def seconds(self) -> float | None:
        """How long it still takes; None while nothing is known."""
        if not self._done or not self._left:
            return None
        return (self._clock() - self._begun) / self._done * sum(self._left.values())


class ImageBoard(progress.OnTerminal):
    """Shows events as they come and writes them into the journal.

    It draws when something happens and never from a thread of its own: CASA is started by forking.
    """

    def __init__(
        self, journal: Journal, kept: Container[str] = (), *, console: Console | None = None
    ) -> None:
        """Begin; ``kept`` are the images that an earlier start has made."""
        self._journal, self._kept = journal, kept
        self._estimate = Estimate()
        self._now = Text()
        super().__init__(console, refreshed=False)

    def present(self) -> Text:
        """Return the image that is being made."""
        return self._now

    def emit(self, event: str, **data: Any) -> None:  # noqa: ANN401 -- an event's own keys
        """Keep an event, and show it."""
        self._journal.emit(event, **data)
        self._reckon(event, data)
        told = Event(attempt=1, seq=0, at=datetime.now(UTC), event=event, data=data)
        said = progress.describe(told)
        when = f"{told.at:%H:%M:%S}  "
        if said is not None:
            line = Text.assemble((when, "dim"), said, (self._end(event), "dim"))
            self._console.print(line, soft_wrap=True)
        if event == "image.started":
            now = f"image {data.get('k', '')} of {data.get('n', '')}: {data['image']} …"
            self._now = Text(now + self._end(event), style="cyan")
            self._live.refresh()

    def _reckon(self, event: str, data: Mapping[str, Any]) -> None:
        if event == "image.planned":
            planned = [_name(image) for image in data["images"]]
            self._estimate.plan(image for image in planned if image not in self._kept)
        elif event == "image.started":
            self._estimate.start()
        elif event in _ENDED:
            self._estimate.end(str(data["image"]))

    def _end(self, event: str) -> str:
        left = self._estimate.seconds
        if left is None or event not in {"image.started", *_ENDED}:
            return ""
        at = datetime.now(UTC) + timedelta(seconds=left)
        return f"  ({render.seconds(left)} left: {at:%H:%M} UTC)"


def _name(image: Any) -> str:  # noqa: ANN401 -- an id, or an object that has one
    return str(image["id"] if isinstance(image, Mapping) else image)
