"""What every verb is given: the settings, the run database, how to speak."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import typer

from reimage import settings
from reimage.settings import Settings
from reimage.store.migrate import open_database
from reimage.store.session import Database


@dataclass(kw_only=True)
class Invocation:
    """One command line: its global options, and what follows from them when it is asked for."""

    config: Path | None = None
    data: Path | None = None
    verbose: bool = False

    @classmethod
    def of(cls, context: typer.Context) -> Invocation:
        """Return the invocation that a verb belongs to."""
        found = context.find_object(cls)
        return cls() if found is None else found

    @property
    def flags(self) -> Mapping[str, Any]:
        """The settings that were given as options."""
        return {"data": None if self.data is None else self.data.absolute()}

    @cached_property
    def settings(self) -> Settings:
        """The merged settings.

        Raises
        ------
        SettingsError
        """
        return settings.load(self.config, self.flags)

    @property
    def password(self) -> str | None:
        """The run database's password, where its own means are not used."""
        secret = self.settings.database_password
        return None if secret is None else secret.get_secret_value()

    @property
    def author(self) -> str:
        """Who asks, as the machine knows them."""
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # a container's user without a name
            return "unknown"

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Give the run database.

        Raises
        ------
        DatabaseOutdated, DatabaseNewer, DatabaseUnreachable
        """
        database = open_database(self.settings.database_url, self.password)
        try:
            yield database
        finally:
            database.close()
