"""Who we are to an archive: from the environment or the keyring, never from a file, never into one."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, SecretStr

from reimage.errors import SettingsError

NAMES = ("archive_token", "archive_user", "archive_password")
"""In the keyring, below the service's name; in the environment, in capitals behind ``REIMAGE_``."""
SERVICE = "reimage"


class Secrets(BaseModel):
    """Who we are to the archive; shown as asterisks wherever it is printed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr | None = None
    """A bearer token; preferred to user and password."""
    user: str = ""
    password: SecretStr | None = None

    @property
    def is_somebody(self) -> bool:
        """Whether the archive is told who we are: a user without a password is nobody."""
        return self.token is not None or bool(self.user and self.password is not None)


def find(environ: Mapping[str, str], prefix: str) -> Secrets:
    """Return what the environment says, else the keyring.

    Where there is no keyring, or it is locked, we are nobody to the archive and see what is public.

    Raises
    ------
    SettingsError
        One cannot be sent; its value is not told.
    """
    stated = {name: environ.get(prefix + name.upper(), "") for name in NAMES}
    found = {name: value for name, value in stated.items() if value} or _keyring()
    values = {name.partition("_")[2]: _sendable(name, found[name], prefix) for name in found}
    return Secrets.model_validate(values)


def _sendable(name: str, value: str, prefix: str) -> str:
    """Return a secret without the end of line that files and clipboards add.

    A token is a header as it is; user and password are encoded first, and may be of any script.
    """
    plain = value.strip("\r\n") if name == "archive_password" else value.strip()
    if plain.isprintable() and (plain.isascii() or name != "archive_token"):
        return plain
    raise SettingsError(
        f"{name}: a character in it cannot be sent",
        hint=f"Look at {prefix}{name.upper()}, or at the keyring: a blank line, a quotation mark?",
        evidence={"key": name},
    )


def _keyring() -> dict[str, str]:
    try:
        import keyring  # noqa: PLC0415 -- an extra
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        return {}
    try:
        found = {name: keyring.get_password(SERVICE, name) for name in NAMES}
    except KeyringError:
        return {}
    return {name: value for name, value in found.items() if value is not None}
