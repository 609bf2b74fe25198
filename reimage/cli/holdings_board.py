"""How far a synchronisation of holdings is: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from reimage.cli.progress import Bars
from reimage.store.rows import SyncCounts


class SyncBoard(Bars):
    """A bar over the archive's rows, with what became of its datasets."""

    def __init__(self, console: Console | None = None) -> None:
        self.n_rows = 0
        """Rows read so far."""
        self._is_waiting = False
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[said]}", style="dim"),
            console=console,
        )
        self._task = self._progress.add_task("counting", total=None, said="")

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
