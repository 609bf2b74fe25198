"""``reimage products``."""

from __future__ import annotations

from typing import Any

import typer
from rich.text import Text

from reimage import queueing
from reimage.cli import render, run_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json, RunOrDataset
from reimage.cli.render import Column
from reimage.model import ProductState
from reimage.store import products as store
from reimage.store.rows import ProductRow

app = typer.Typer(add_completion=False)

COLUMNS = (
    Column(title="product"),
    Column(title="is"),
    Column(title="rms mJy/beam", right=True, keep=6),
    Column(title="dyn. range", right=True, keep=5),
    Column(title="beam arcsec", right=True, keep=4),
    Column(title="size", right=True, keep=2),
    Column(title="derived", keep=3),
    Column(title="reason", keep=7),
)
STYLES = {
    ProductState.PLANNED: "dim",
    ProductState.MADE: "green",
    ProductState.MITIGATED: "yellow",
    ProductState.ABSENT: "red",
}


@app.command(
    epilog="Examples:\n\n"
    "reimage products uid://A001/X1a2b/X1\n\n"
    "reimage products uid___A001_X1a2b_X1 --json"
)
def products(context: typer.Context, which: RunOrDataset, *, as_json: Json = False) -> None:
    """List what a run made of what it planned.

    For a dataset: its newest run that has products.
    """
    invocation = Invocation.of(context)
    holding = invocation.settings.holding
    with invocation.database() as database, database.read() as session:
        run = queueing.find_target(session, holding, which)
        found = store.of_run(session, run.run)
        if not found and not run.run.startswith(which):
            found = store.of_dataset(session, holding, run.dataset)
    made_by = found[0].run if found else None
    if as_json:
        render.show(run_shapes.Products(run=made_by, products=found))
        return
    if not found:
        render.say(f"run {run.run} has no products")
        return
    show_products(found)
    if made_by == run.run:
        render.say(f"files below {queueing.run_directory(invocation.settings, run)}")


def show_products(found: tuple[ProductRow, ...]) -> None:
    """Print a line for each product; the common beginning of the images' names only once."""
    stem = _stem([product.name for product in found if product.image])
    if stem:
        render.console().print(f"{stem}…")
    render.table(render.console(), COLUMNS, [_row(product, stem) for product in found])


def _stem(names: list[str]) -> str:
    """Return the dot-separated words with which all names begin."""
    if not names:
        return ""
    first, last = min(names).split("."), max(names).split(".")
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
        len(first),
    )
    return ".".join(first[:same]) + "." if 0 < same < len(first) else ""


def _row(product: ProductRow, stem: str) -> list[render.Cell | None]:
    numbers = product.numbers
    return [
        f"…{product.name[len(stem) :]}" if stem and product.name.startswith(stem) else product.name,
        Text(product.state.value, style=STYLES[product.state]),
        _number(numbers.get("rms_jy_beam"), 1e3, ".3g"),
        _number(numbers.get("dynamic_range"), 1, ".0f"),
        _beam(numbers.get("beam_major_arcsec"), numbers.get("beam_minor_arcsec")),
        render.size(product.n_bytes),
        " ".join(
            word
            for word, path in (
                ("preview", product.preview),
                ("footprint", product.footprint),
                ("admit", product.admit),
            )
            if path
        ),
        product.reason,
    ]


def _number(value: Any, factor: float, form: str) -> str:  # noqa: ANN401 -- JSON
    return format(value * factor, form) if isinstance(value, (int, float)) else ""


def _beam(major: Any, minor: Any) -> str:  # noqa: ANN401 -- JSON
    both = isinstance(major, (int, float)) and isinstance(minor, (int, float))
    return f"{major:.2f} x {minor:.2f}" if both else ""
