"""``reimage archive``."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from reimage import settings
from reimage.archive.server.mischief import KINDS, Mischief
from reimage.cli import archive_fetch, archive_files, render
from reimage.cli.invocation import Invocation

if TYPE_CHECKING:
    from reimage.archive.server.portal import Access

app = typer.Typer(add_completion=False, no_args_is_help=True)
app.add_typer(archive_files.app)
app.add_typer(archive_fetch.app)

PORT = 8470
"""Where the local archive listens unless told otherwise."""
ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 -- only when the operator says so
"""Hosts that stand for every address of the machine."""


def _kinds(value: bool) -> None:  # noqa: FBT001 -- typer calls it so
    """List the kinds of misbehaviour and leave."""
    if value:
        render.pairs(render.console(), KINDS)
        raise typer.Exit


@app.callback(
    epilog="Examples:\n\nreimage archive files uid://A001/X1a2b/X1\n\nreimage archive serve demo/archive"
)
def archive() -> None:
    """Serve a directory as an archive; list a dataset's files, look before launching, fetch."""


@app.command(
    epilog="Examples:\n\nreimage archive serve demo/archive\n\n"
    'reimage archive serve demo/archive --port 0 --misbehave "truncate=5000@dataPortal/*.tar x1"'
)
def serve(
    context: typer.Context,
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="An archive directory (`reimage demo build` makes one).",
            show_default=False,
        ),
    ],
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            help=f"0 takes a free one; otherwise that of the setting `archive`, or {PORT}.",
            min=0,
            max=65535,
            show_default=False,
        ),
    ] = None,
    misbehave: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE",
            help="KIND[=VALUE][@PATTERN][ +M][ xN]: what is done to which requests, how many are first"
            " let pass, how often it is done.  May be repeated; --kinds lists the kinds.",
            show_default=False,
        ),
    ] = None,
    latency: Annotated[
        float, typer.Option(metavar="SECONDS", help="Wait so long before every answer.", min=0)
    ] = 0,
    mischief_control: Annotated[
        bool,
        typer.Option(
            "--mischief-control",
            help="Let anyone change the rules (POST or DELETE /_mischief) and see what was asked (GET).",
        ),
    ] = False,
    login: Annotated[
        bool,
        typer.Option(
            "--login",
            help="Give what is not public to whom has the credentials of this installation"
            " (REIMAGE_ARCHIVE_TOKEN, or _USER and _PASSWORD, or the keyring); otherwise nobody gets it.",
        ),
    ] = False,
    kinds: Annotated[  # noqa: ARG001 -- its callback answers and leaves
        bool,
        typer.Option(
            "--kinds", help="List the kinds of misbehaviour.", is_eager=True, callback=_kinds
        ),
    ] = False,
) -> None:
    """Serve an archive directory as ALMA's archive: TAP, DataLink, files; until Ctrl-C.

    For tests and demonstrations: pyvo and astroquery.alma work with it, and so does `archive = "http://..."`
    in the settings.  It misbehaves on command as real archives have done.
    """
    from reimage.archive.server import app as serving  # noqa: PLC0415 -- a web server: only here
    from reimage.archive.server import listening  # noqa: PLC0415

    rules = [*(misbehave or ()), *([f"latency={latency}"] if latency else ())]
    mischief = Mischief.of(rules) if rules or mischief_control else None
    if port is None:
        port = _port_of(Invocation.of(context).settings.archive)
    with closing(listening.bind(host, port)) as bound:
        is_open = host in ANYWHERE
        base = listening.address(bound, socket.gethostname() if is_open else "")
        served = serving.create_app(
            directory,
            base=None if is_open else base,  # else as each request calls us
            mischief=mischief,
            access=_access() if login else None,
            is_controlled=mischief_control,
        )
        _tell(directory, base, mischief)
        listening.listen(served, bound, verbose=Invocation.of(context).verbose)


def _port_of(archive: str) -> int:
    """Return the port at which this machine's settings look for the archive."""
    asked = urlsplit(archive)
    is_here = asked.hostname in {"127.0.0.1", "localhost", "::1"}
    return asked.port if is_here and asked.port else PORT


def _tell(directory: Path, base: str, mischief: Mischief | None) -> None:
    """Say where the archive is, and what to write into the settings."""
    out = render.console()
    out.print(f"serving {directory} at {base} (Ctrl-C ends it)", soft_wrap=True)
    out.print(f'reimage.toml: archive = "{base}"', markup=False, soft_wrap=True)
    for rule in mischief.rules if mischief else ():
        out.print(f"misbehaving: {rule.text}", markup=False, soft_wrap=True)


def _access() -> Access:
    """Return who may have what is not public: who this installation is to the archive."""
    from reimage.archive.server.portal import Access  # noqa: PLC0415

    mine = settings.secrets()
    return Access(
        user=mine.user,
        password=mine.password.get_secret_value() if mine.password else "",
        token=mine.token.get_secret_value() if mine.token else "",
    )
