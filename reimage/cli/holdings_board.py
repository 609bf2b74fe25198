"""How far a synchronisation of holdings is: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from reimage.cli import render
from reimage.store.rows import SyncCounts


class SyncBoard:
    """A bar over the archive's rows, with what became of its datasets; a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or render.console(stderr=True)
        self.n_rows = 0
        """Rows read so far."""
        self._is_waiting = False
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[said]}", style="dim"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task("counting", total=None, said="")

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

    def count(self, done: int, total: int, n_rows: int) -> None:
        """Tell how many parts of so many are counted, and the rows so far."""
        self._is_waiting = False
        self._progress.update(
            self._task, completed=n_rows, total=None, said=f"{done} of {total} parts"
        )

    def begin(self, total: int, done: int) -> None:
        """Tell how many rows there will be, and how many there are already."""
        self.n_rows = done
        self._progress.update(
            self._task, description="reading", total=max(total, done), completed=done, said=""
        )

    def take(self, n_rows: int, counts: SyncCounts) -> None:
        """Tell of a part that was read."""
        self.n_rows += n_rows
        self._is_waiting = False
        said = f"{counts.added} added, {counts.changed} changed, {counts.unchanged} unchanged"
        self._progress.update(self._task, advance=n_rows, said=said)

    def wait(self, why: str) -> None:
        """Tell that the archive is waited for, once for each time that it is away."""
        if not self._is_waiting:
            self._console.print(f"waiting for the archive: {why}", style="dim", soft_wrap=True)
        self._is_waiting = True
