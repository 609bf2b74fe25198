"""``reimage docs``: hidden, for those who change the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reimage.cli import references, render

app = typer.Typer(add_completion=False)


@app.command(epilog="Example:\n\nreimage docs ops/guide/reference")
def docs(
    directory: Annotated[Path, typer.Argument(file_okay=False, help="Where the pages go.")],
) -> None:
    """Write the generated references of the guide."""
    for path in references.write(directory):
        render.console().print(str(path), soft_wrap=True)
