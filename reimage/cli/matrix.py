"""``reimage matrix``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, get_args

import typer
from rich.text import Text

from reimage import sweeps
from reimage.category import find_category
from reimage.cli import complete, desk_shapes, render, rows_out
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.render import Column
from reimage.desk import matrix as desk
from reimage.desk.matrix import By, Cell, Comparison, Flip, Matrix, Row
from reimage.settings import Settings
from reimage.store import datasets
from reimage.store.session import Database
from reimage.triage.catalogue import load_classes
from reimage.uid import path_name

app = typer.Typer(add_completion=False)

LINES = 40
"""Datasets that are told, unless others are asked for."""
MARKS = {
    Flip.FAILS: ("▼ ", "bold red"),
    Flip.PASSES: ("▲ ", "bold green"),
    Flip.OTHERWISE: ("≠ ", "yellow"),
}


@app.command(
    epilog="Examples:\n\n"
    "reimage matrix --category demo\n\n"
    'reimage matrix --where "cycle = 2 and band = 6" --by both --flips\n\n'
    "reimage matrix uid://A001/X1a2b/X1 uid://A001/X1a2b/X2 --by recipe --json\n\n"
    "reimage matrix --category demo --against casa-6.5.4 --csv > matrix.csv"
)
def matrix(
    context: typer.Context,
    which: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DATASET]...", help="Only these datasets.", show_default=False),
    ] = None,
    *,
    where: Annotated[
        str,
        typer.Option(
            metavar="FILTER",
            help='Only datasets of this filter over the holdings: "cycle = 2 and band = 6".',
            show_default=False,
        ),
    ] = "",
    category: Annotated[
        str | None,
        typer.Option(
            help="Only datasets that this category chooses now, and all their runs.",
            autocompletion=complete.categories,
            show_default=False,
        ),
    ] = None,
    by: Annotated[By, typer.Option(help=f"Columns: {', '.join(get_args(By))}.")] = "build",
    against: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that the others are compared with; otherwise the one that was run first.",
            show_default=False,
        ),
    ] = None,
    flips: Annotated[
        bool, typer.Option("--flips", help="Only datasets of which something flips.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Datasets at most.", show_default=f"{LINES} on a terminal"
        ),
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV: one line for each outcome.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show datasets by CASA build or recipe: result, class, key numbers, and what flips.

    Columns are compared over the datasets that both have (McNemar's exact test, Holm's correction where
    several are).  What an archive, a machine or a person ended is shown and not compared.
    """
    invocation = Invocation.of(context)
    settings = invocation.settings
    with invocation.database() as database:
        found = desk.read(
            database,
            settings.holding,
            load_classes(settings.classes),
            by=by,
            keys=_keys(settings, database, which or [], category),
            where=where,
            against=against,
            flips_only=flips,
            limit=limit or (None if as_json or as_csv else LINES),
        )
    if as_json:
        render.show(desk_shapes.VersionMatrix(matrix=found))
    elif as_csv:
        rows_out.write_csv(_CSV, _lines(found))
    else:
        _show(found, narrowed=flips)


def _keys(
    settings: Settings, database: Database, which: Sequence[str], category: str | None
) -> frozenset[str] | None:
    """Return which datasets are meant: named, of a category, or both; None for all."""
    members: frozenset[str] | None = None
    if category is not None:
        declared = find_category(category, sweeps.folders(settings))
        members = frozenset(sweeps.find_members(database, declared))
    if not which:
        return members
    with database.read() as session:
        named = frozenset(datasets.find(session, settings.holding, key).dataset for key in which)
    return named if members is None else named & members


# --- as text ---------------------------------------------------------------------------------------


def _show(found: Matrix, *, narrowed: bool) -> None:
    out = render.console()
    if not found.rows:
        out.print("nothing flips" if narrowed and found.datasets else "no runs that are done")
    else:
        render.table(out, _columns(found), [_cells(row) for row in found.rows])
    for one in found.comparisons:
        out.print(sentence(one, of=len(found.comparisons)), soft_wrap=True)
    if len(found.rows) < found.datasets and not narrowed:
        render.say(f"{len(found.rows)} of {found.datasets} datasets: --limit, --flips")
    if found.rows and len(found.columns) == 1:
        render.say(
            "one column: nothing to compare (`reimage rerun DATASET --casa BUILD` makes one)"
        )


def _columns(found: Matrix) -> list[Column]:
    columns = [Column(title="dataset")]
    for i, name in enumerate(found.columns):
        columns += [
            Column(title=name, keep=9 if i < 2 else 8),  # noqa: PLR2004 -- two are compared
            Column(title="rms (uJy/beam)", keep=4, right=True),
            Column(title="to first", keep=5 if i else 0, right=True),
            Column(title="dyn. range", keep=3, right=True),
            Column(title='beam (")', keep=2, right=True),
            Column(title="images", keep=1, right=True),
        ]
    return columns


def _cells(row: Row) -> list[render.Cell | None]:
    cells: list[render.Cell | None] = [path_name(row.dataset)]
    for cell in row.cells:
        cells += [_outcome(cell), *_numbers(cell)]
    return cells


def _outcome(cell: Cell | None) -> Text | None:
    if cell is None:
        return None
    mark, style = MARKS[cell.flip] if cell.flip else ("", "")
    text = Text(mark, style=style)
    said = cell.error_class if cell.error_class and cell.error_class != cell.result else None
    text.append(said or cell.result.value, style=style or render.STYLES[cell.result])
    return text


def _numbers(cell: Cell | None) -> list[str]:
    if cell is None:
        return [""] * 5
    made = f"{cell.made}/{cell.planned}" if cell.planned else ""
    known = cell.numbers
    if known is None:
        return ["", "", "", "", made]
    micro = None if known.rms_jy_beam is None else known.rms_jy_beam * 1e6
    ratio = "" if known.rms_ratio is None else f"{known.rms_ratio:.2f}"
    return [
        _short(micro),
        ratio,
        _short(known.dynamic_range),
        _short(known.beam_major_arcsec),
        made,
    ]


def _short(value: float | None) -> str:
    """Return a number with three digits."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 -- three digits


def sentence(one: Comparison, *, of: int = 1) -> str:
    """Return what a comparison says: counts first, then how likely chance alone makes them."""
    begin = f"{one.after} beside {one.before}: "
    together = f", {chance(one.p_worse_adjusted)} as one of {of} (Holm)" if of > 1 else ""
    if one.test == "mcnemar":
        counts = f"{one.newly_failing} newly failing, {one.newly_passing} newly passing"
        both = render.counted(one.both, "dataset")
        return f"{begin}{counts} of {both} in both: p = {chance(one.p_worse)} (one-sided){together}"
    counts = (
        f"{one.after_failed} of {one.after_n} failing, {one.before_failed} of {one.before_n} before"
    )
    return (
        f"{begin}{counts}, of other datasets: p = {chance(one.p_worse)} (one-sided){together}; "
        "run the same ones to say more"
    )


def chance(p: float) -> str:
    """Return a probability with two digits, never 0."""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"  # noqa: PLR2004 -- three decimals


# --- as CSV ----------------------------------------------------------------------------------------

_CSV = (
    *("dataset", "category", "column", "run", "result", "error_class", "passes", "flip"),
    *("made", "planned", "mitigated"),
    *("rms_jy_beam", "rms_ratio", "dynamic_range", "beam_major_arcsec"),
)


def _lines(found: Matrix) -> Iterator[list[Any]]:
    for row in found.rows:
        for cell in row.cells:
            if cell is not None:
                known = {name: getattr(cell, name, None) for name in _CSV[2:11]}
                measured = [getattr(cell.numbers, name, None) for name in _CSV[11:]]
                yield [row.dataset, row.category, *known.values(), *measured]
