"""How datasets and counts of them are shown."""

from __future__ import annotations

from typing import Any

from reimage.cli import render
from reimage.cli.render import Column
from reimage.store.holdings_stats import Count
from reimage.store.rows import DatasetRow
from reimage.uid import path_name

COLUMNS = (
    Column(title="dataset"),
    Column(title="project", keep=8),
    Column(title="cycle", right=True, keep=5),
    Column(title="bands", keep=6),
    Column(title="array", keep=4),
    Column(title="EBs", right=True, keep=3),
    Column(title="mosaic", keep=2),
    Column(title="size", right=True, keep=1),
    Column(title="targets", keep=7),
)

COUNTED = (
    Column(title="by"),
    Column(title="value"),
    Column(title="datasets", right=True),
    Column(title="share", right=True, keep=2),
    Column(title="volume", right=True, keep=4),
    Column(title="with size", right=True, keep=3),
)
LONG = 100
"""Characters of a line."""


def counted(by: str, one: Count, total: Count) -> list[str | None]:
    """Return the cells of a count."""
    value = "" if by == "all" else one.value or "(not said)"
    volume = render.size(one.n_bytes) if one.sized else ""
    share = render.share(one.datasets, total.datasets)
    return [by, value, str(one.datasets), share, volume, str(one.sized) if one.sized else ""]


def row(dataset: DatasetRow) -> list[render.Cell | None]:
    """Return the cells of a dataset."""
    facts = dataset.facts
    return [
        path_name(dataset.dataset),
        _plain(facts.get("project")),
        _plain(facts.get("cycle")),
        _plain(facts.get("bands")),
        _plain(facts.get("array")),
        _plain(facts.get("n_ebs")),
        "yes" if facts.get("is_mosaic") else "",
        render.size(dataset.n_bytes),
        _plain(facts.get("targets")),
    ]


def lines(name: str, value: Any) -> list[str]:  # noqa: ANN401 -- JSON
    """Return a fact in lines: long lists one below the other, and windows."""
    if name == "frequency_support" and isinstance(value, list):
        value = [window for text in value for window in str(text).split(" U ")]
    if isinstance(value, dict):
        return [f"  {name}: {', '.join(f'{key} {one}' for key, one in value.items())}"]
    if isinstance(value, list) and len(value) > 1 and len(_plain(value)) > LONG:
        return [f"  {name}:", *(f"    {one}" for one in value)]
    return [f"  {name}: {_plain(value)}"]


def _plain(value: Any) -> str:  # noqa: ANN401 -- JSON
    if value is None:
        return ""
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
