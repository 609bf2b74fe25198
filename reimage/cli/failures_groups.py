"""``reimage failures link | resolve | snooze | reopen | annotate``: what people say of groups and datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from reimage import journal
from reimage.cli import complete, desk_shapes, group_text, render
from reimage.cli.asking import DryRun, Yes, agreed
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.since import until_of
from reimage.desk import groups
from reimage.desk.groups import Desk, Group
from reimage.errors import UsageError
from reimage.store import datasets
from reimage.store.session import Database
from reimage.triage.catalogue import load_classes
from reimage.uid import path_name

LINK = (
    "Examples:\n\n"
    "reimage failures link core-dump https://open-jira.nrao.edu/browse/CAS-13924\n\n"
    'reimage failures link sv1:0123456789ab https://tickets.example.org/7 --why "same stack"\n\n'
    "reimage failures link core-dump --remove"
)
RESOLVE = (
    "Examples:\n\n"
    'reimage failures resolve script-wants-clean --in 0.6.0 --why "the fix python2-port"\n\n'
    'reimage failures resolve core-dump --in "CASA 6.6.1" --why "CAS-13924 is in it" --json'
)
SNOOZE = (
    "Examples:\n\n"
    'reimage failures snooze archive-unavailable --until 2d --why "maintenance until Thursday"\n\n'
    'reimage failures snooze memory --until 2099-01-01 --runs 100 --why "the new nodes come"'
)
REOPEN = 'Example:\n\nreimage failures reopen core-dump --why "seen again with 6.6.1"'
ANNOTATE = (
    "Examples:\n\n"
    "reimage failures annotate --where \"project = '2015.1.00001.S' and band = 6\" "
    '--text "frozen antennas" --dry-run\n\n'
    'reimage failures annotate uid://A001/X1a2b/X1 --text "the PI knows of it"'
)
SHOWN = 5
"""Datasets that are told by name before they are annotated."""

GroupName = Annotated[
    str,
    typer.Argument(
        metavar="CLASS|SIGNATURE",
        help="An error class, or a signature (its beginning will do).",
        autocompletion=complete.error_classes,
        show_default=False,
    ),
]
Why = Annotated[str, typer.Option(help="The reason; kept with your name.", show_default=False)]
MaybeWhy = Annotated[
    str | None, typer.Option(help="The reason; kept with your name.", show_default=False)
]


class NothingChosen(UsageError):
    """It is not said what is meant, or twice."""

    code = "nothing-chosen"
    hint = "One of the two has to be given."


def link(
    context: typer.Context,
    group: GroupName,
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="Of the ticket.", show_default=False)
    ] = None,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="It has no ticket any more.")] = False,
    why: MaybeWhy = None,
    as_json: Json = False,
) -> None:
    """Say where the ticket of an error class or a signature is."""
    if remove == (url is not None):
        raise NothingChosen(
            "an address, or --remove",
            hint="Give the ticket's address, or --remove to take it away.",
        )
    with _acting(context, group) as acting:
        acting.tell(groups.link(acting.desk, acting.group, url, why), as_json=as_json)


def resolve(
    context: typer.Context,
    group: GroupName,
    *,
    version: Annotated[
        str,
        typer.Option(
            "--in",
            metavar="VERSION",
            help="Version of reimage, of a fix or of CASA that resolves it.",
            show_default=False,
        ),
    ],
    why: Why,
    as_json: Json = False,
) -> None:
    """Say that a class or a signature is resolved: the inbox leaves it out until it comes back."""
    with _acting(context, group) as acting:
        acting.tell(groups.resolve(acting.desk, acting.group, version, why), as_json=as_json)


def snooze(
    context: typer.Context,
    group: GroupName,
    *,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="A day to come or a time (UTC), or in how long: 12h, 7d, 4w.",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2**31 - 1,
            metavar="N",
            help="Or after so many runs more.",
            show_default=False,
        ),
    ] = None,
    why: Why,
    as_json: Json = False,
) -> None:
    """Say that nobody need look at a class or a signature now: what comes first wakes it."""
    moment = None if until is None else until_of(until)
    with _acting(context, group) as acting:
        seq = groups.snooze(acting.desk, acting.group, moment, runs, why)
        acting.tell(seq, as_json=as_json)


def reopen(
    context: typer.Context, group: GroupName, *, why: MaybeWhy = None, as_json: Json = False
) -> None:
    """Take back that a class or a signature is resolved or snoozed."""
    with _acting(context, group) as acting:
        acting.tell(groups.reopen(acting.desk, acting.group, why), as_json=as_json)


def annotate(
    context: typer.Context,
    which: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DATASET]...", help="Datasets by name.", show_default=False),
    ] = None,
    *,
    where: Annotated[
        str,
        typer.Option(
            metavar="FILTER",
            help="Or all datasets of this filter over the holdings: "
            "\"project = '2015.1.00001.S' and band = 6\".",
            show_default=False,
        ),
    ] = "",
    text: Annotated[str, typer.Option(help="What is to be noted of them.", show_default=False)],
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Note something of datasets, one or many at once; `show` and `holdings show` tell it.

    How many there are is told first, and asked where a filter chooses them.
    """
    if bool(which) == bool(where.strip()):
        raise NothingChosen(
            "datasets by name, or --where", hint="Name datasets, or choose them by --where."
        )
    invocation = Invocation.of(context)
    holding = invocation.settings.holding
    with invocation.database() as database:
        keys = _keys(database, holding, which or [], where)
        question = f"Note this of {render.counted(len(keys), 'dataset')}?"
        if not as_json:
            _tell_some(keys, dry_run=dry_run)
        acts: tuple[int, ...] = ()
        if keys and not dry_run and agreed(question, yes=yes or bool(which)):
            acts = groups.annotate(_desk(invocation, database), holding, keys, text)
    if as_json:
        told = desk_shapes.Annotated(
            holding=holding, datasets=keys, note=text, acts=acts, dry_run=dry_run
        )
        render.show(told)
    elif acts:
        render.console().print(f"noted of {render.counted(len(keys), 'dataset')}")


def _keys(database: Database, holding: str, which: Sequence[str], where: str) -> tuple[str, ...]:
    with database.read() as session:
        if which:
            named = (datasets.find(session, holding, key).dataset for key in which)
            return tuple(dict.fromkeys(named))
        return tuple(row.dataset for row in datasets.list_datasets(session, holding, where))


def _tell_some(keys: Sequence[str], *, dry_run: bool) -> None:
    out = render.console()
    if keys:
        out.print(
            f"would note of {render.counted(len(keys), 'dataset')}:" if dry_run else "to note of:"
        )
    for key in keys[:SHOWN]:
        out.print(path_name(key))
    if len(keys) > SHOWN:
        out.print(f"... {render.counted(len(keys), 'dataset')} in all")
    if not keys:
        render.say("no dataset is so (`reimage holdings list --where ...` tries a filter)")


def _desk(invocation: Invocation, database: Database) -> Desk:
    return Desk(
        settings=invocation.settings,
        database=database,
        author=invocation.author,
        at=journal.now(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Acting:
    """One thing to be said of a group."""

    desk: Desk
    group: Group

    def tell(self, seq: int, *, as_json: bool) -> None:
        """Tell how the group stands now."""
        said = groups.state(self.desk.database, self.group)
        if as_json:
            name, of = self.group.name, self.group.of
            render.show(desk_shapes.GroupSaid(group=name, of=of, act=seq, state=said))
        else:
            told = f"{self.group.name}: {group_text.sentence(said)}"
            render.console().print(told, soft_wrap=True)


@contextmanager
def _acting(context: typer.Context, name: str) -> Iterator[_Acting]:
    """Find a group, before anything is said of it."""
    invocation = Invocation.of(context)
    classes = load_classes(invocation.settings.classes)
    with invocation.database() as database:
        with database.read() as session:
            group = groups.find(session, classes, name)
        yield _Acting(desk=_desk(invocation, database), group=group)
