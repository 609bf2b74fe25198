"""The operator's words: ``reimage VERB ...``.

`main` is the one place of the command line that handles errors; a verb raises, or leaves with one of
these codes (`EXIT_CODES`), and is short: what it does lies below the command line.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import platformdirs
from rich.text import Text

from reimage.cli import render
from reimage.cli.codes import EXIT_CODES, INTERNAL, INTERRUPTED
from reimage.cli.root import app
from reimage.errors import ReimageError

__all__ = ["EXIT_CODES", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line and return its exit code (`EXIT_CODES`)."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="reimage")
    except SystemExit as leaving:  # how typer leaves: usage errors 2, Ctrl-C 130, a verb's own code
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except ReimageError as error:
        tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- one of the two places: what is not expected is our bug
        tell_bug(error)
        return INTERNAL
    return 0


def tell(error: ReimageError) -> None:
    """Say on stderr what happened and what can be done about it."""
    console = render.console(stderr=True)
    console.print(
        Text.assemble((f"error[{error.code}]", "bold red"), f": {error.message}"), soft_wrap=True
    )
    for key, value in _facts(error.evidence).items():
        console.print(Text(f"  {key}: {value}"), soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("hint", "bold"), f": {error.hint}"), soft_wrap=True)


def _facts(evidence: Mapping[str, object]) -> dict[str, str]:
    """Return the facts of an error that its message may not say: lists of what is known, last lines."""
    shown: dict[str, str] = {}
    for key, value in evidence.items():
        if isinstance(value, (list, tuple)) and value:
            lines = key in {"tail", "severe", "lines"}
            shown[key] = (
                "".join(f"\n    {v}" for v in value) if lines else ", ".join(map(str, value))
            )
    return shown


def tell_bug(error: Exception) -> None:
    """Keep the traceback and say on stderr where it is."""
    text = "".join(traceback.format_exception(error))
    console = render.console(stderr=True)
    console.print(
        Text.assemble(("error[internal]", "bold red"), f": {type(error).__name__}: {error}"),
        soft_wrap=True,
    )
    try:
        place = _keep(text)
    except OSError as unwritable:
        console.print(Text(f"{text}\n(not kept: {unwritable})"), soft_wrap=True)
        return
    hint = f": this is a bug of reimage; report it with {place}"
    console.print(Text.assemble(("hint", "bold"), hint), soft_wrap=True)


def _keep(text: str) -> Path:
    folder = Path(platformdirs.user_log_dir("reimage", appauthor=False)) / "crashes"
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.txt"
    place.write_text(f"{' '.join(sys.argv)}\n\n{text}", encoding="utf-8")
    return place
