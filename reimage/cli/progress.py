"""What is going on, while a controller runs: a line for each event, and on a terminal the present."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import Progress, ProgressColumn
from rich.text import Text

from reimage.cli import render
from reimage.journal import Event
from reimage.model import Result, State
from reimage.settings import Settings
from reimage.uid import path_name

TAIL_BYTES = 200


@dataclass(slots=True)
class _Now:
    """Where a live run is."""

    directory: Path
    name: str
    stage: str = ""
    what: str = ""
    attempt: int = 0


class OnTerminal(ABC):
    """Lines, and on a terminal the present below them; a context manager, since it has to be given back.

    `present` is asked for at once: set what it shows before calling ``__init__``.
    """

    def __init__(self, console: Console | None, *, refreshed: bool) -> None:
        self._console = console or render.console(stderr=True)
        self._live = Live(
            console=self._console,
            get_renderable=self.present,
            refresh_per_second=2,
            transient=True,
            auto_refresh=refreshed,
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    @abstractmethod
    def present(self) -> RenderableType:
        """Return what stands below the lines now."""


class Bars:
    """Bars of what comes in, on a terminal, and nothing elsewhere; a context manager."""

    def __init__(self, *columns: ProgressColumn, console: Console | None = None) -> None:
        self._console = console or render.console(stderr=True)
        self._progress = Progress(
            *columns,
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()


class Board(OnTerminal):
    """Shows the events of runs as they come."""

    def __init__(self, settings: Settings, *, console: Console | None = None) -> None:
        self._runs_dir = settings.runs_dir
        self._live_runs: dict[str, _Now] = {}
        super().__init__(console, refreshed=True)

    def take(self, run: str, dataset: str, event: Event) -> None:
        """Show one event of a run."""
        name = path_name(dataset)
        now = self._live_runs.setdefault(
            run, _Now(directory=self._runs_dir / name / run, name=name)
        )
        now.attempt = max(now.attempt, event.attempt, int(event.data.get("number", 0)))
        now.stage = str(event.data.get("stage") or now.stage)
        said = describe(event)
        if said is not None:
            now.what = said.plain
            when = f"{event.at.astimezone(UTC):%H:%M:%S}  {name}  "
            self._console.print(Text.assemble((when, "dim"), said), soft_wrap=True)
        if event.event in {"attempt.judged", "run.cancelled"}:
            self._live_runs.pop(run)

    def note(self, text: str) -> None:
        """Show a line that belongs to no run."""
        when = f"{datetime.now(UTC):%H:%M:%S}  "
        self._console.print(Text.assemble((when, "dim"), text), soft_wrap=True)

    def present(self) -> Group:
        """Return a line for each live run: where it is, and its memory."""
        lines = []
        for now in self._live_runs.values():
            memory = _memory_mb(now.directory, now.attempt)
            held = f"  {memory} MB" if memory else ""
            stage = "" if now.what.startswith(now.stage) else f"{now.stage}: "
            what = f"{now.name}  {stage}{now.what}{held}"
            lines.append(Text(what, style="cyan", overflow="ellipsis", no_wrap=True))
        return Group(*lines)


def _memory_mb(directory: Path, attempt: int) -> int | None:
    """Return the last number of an attempt's memory series."""
    series = directory / "attempts" / str(attempt) / "memory.jsonl"
    with suppress(OSError, ValueError, LookupError, TypeError), series.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(stream.tell() - TAIL_BYTES, 0))
        return int(json.loads(stream.read().splitlines()[-1])["mb"])
    return None


def describe(event: Event) -> Text | None:
    """Return an event in words; None for what only a journal needs to know."""
    if event.event == "stage.kept" and event.attempt == 1:  # said already: it was adopted
        return None
    told = _WORDS.get(event.event)
    return told(event.data) if told is not None else None


def _image(word: str, style: str = "") -> Callable[[Mapping[str, Any]], Text]:
    def told(data: Mapping[str, Any]) -> Text:
        count = f"{data['k']} of {data['n']} " if {"k", "n"} <= data.keys() else ""
        reason = f": {data['reason']}" if data.get("reason") else ""
        return Text.assemble(f"image {count}", (word, style), f"  {data.get('image', '')}{reason}")

    return told


def _judged(data: Mapping[str, Any]) -> Text:
    judgement, decision = data["judgement"], data["decision"]
    result = Result(judgement["result"])
    text = render.word(State.DONE, result)
    if judgement.get("error_class"):
        text.append(f"  {judgement['error_class']}", style="bold")
        text.append(f"  {judgement.get('decisive') or data.get('message') or ''}"[:200])
    if decision["kind"] == "retry":
        text.append(f"  (next attempt: {decision.get('reason')})")
    elif decision["kind"] == "rerun":
        text.append(f"  (a new run follows: {decision.get('reason')})")
    return text


def _stage(word: str) -> Callable[[Mapping[str, Any]], Text]:
    def told(data: Mapping[str, Any]) -> Text:
        caveats = "".join(f"  {caveat}" for caveat in data.get("caveats", ()))
        return Text.assemble(f"{data.get('stage')} {word}", (caveats, "yellow"))

    return told


def _chosen(data: Mapping[str, Any]) -> Text:
    wanted = f" (asked for: {data['wanted']})" if data.get("wanted") else ""
    return Text(f"CASA: {data.get('build') or 'none that will do'}{wanted}")


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], Text]] = {
    "run.queued": lambda _: Text("queued"),
    "run.cancelled": lambda data: Text(f"cancelled: {data.get('reason') or ''}"),
    "cancel.asked": lambda data: Text(f"to be ended: {data.get('reason') or ''}"),
    "attempt.submitted": lambda data: Text(f"attempt {data.get('number')} started"),
    "attempt.judged": _judged,
    "stage.started": _stage("…"),
    "stage.proven": _stage("proven"),
    "stage.kept": _stage("kept from an earlier attempt"),
    "stage.adopted": _stage("adopted from an earlier run"),
    "files.listed": lambda data: Text(
        f"{data.get('n_files')} files to fetch, {render.size(data.get('n_bytes'))}"
    ),
    "file.fetched": lambda data: Text(
        f"{data.get('name')} is here, {render.size(data.get('n_bytes'))}"
        + (" from the cache" if data.get("is_cached") else "")
    ),
    "file.rejected": lambda data: Text(f"{data.get('message')}", style="red"),
    "casa.chosen": _chosen,
    "fix.applied": lambda data: Text(f"fix {data.get('fix')}: {data.get('because') or ''}"),
    "fix.reported": lambda data: Text(
        f"caveat of fix {data.get('fix')}: {data.get('because') or ''}"
    ),
    "fix.refused": lambda data: Text(
        f"fix {data.get('fix')} is not safe: {'; '.join(map(str, data.get('obstacles') or ()))}"
    ),
    "ms.column": lambda data: Text(
        f"{data.get('ms')}: column {data.get('column')}: {data.get('because')}"
    ),
    "image.split": lambda data: Text(f"targets of {data.get('eb')} split off"),
    "image.subtracted": lambda data: Text(f"continuum subtracted from {data.get('eb')}"),
    "image.planned": lambda data: Text(f"{data.get('n')} images planned"),
    "image.adopted": lambda data: Text(f"{data.get('images')} images kept of the earlier run"),
    "step.started": lambda data: Text(f"{data.get('step')} ({data.get('k')} of {data.get('n')})"),
    "step.died": lambda data: Text(f"{data.get('step')} died: {data.get('reason')}", style="red"),
    "image.made": _image("made"),
    "image.absent": _image("absent", "red"),
}
