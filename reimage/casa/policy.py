"""The table of builds that may stand in for a version that is not registered (``policy.toml``)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reimage import document
from reimage.errors import DocumentUnreadable, SettingsError
from reimage.run import Run

SHIPPED = Path(__file__).with_name("policy.toml")


class PolicyUnreadable(SettingsError):
    """The site's table of stand-ins cannot be used."""

    code = "policy-unreadable"
    hint = "Compare it with the shipped reimage/casa/policy.toml, which says what each key means."


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """For a version that pipeline deliveries state, what may restore them instead."""

    stated: str
    """A version, or ``*``."""
    use: tuple[str, ...]
    """Versions, ``same-minor`` or ``newest``; the best first."""
    doubtful: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may stand in for what."""

    pipeline: tuple[StandIn, ...] = ()
    manifest_since: str = "5.1.1"
    """First version whose pipeline restores by a manifest, which older deliveries lack."""
    tables_without_manifest: bool = True
    """Whether those may be restored from their tables by a later build without a pipeline."""
    schema: int = 1


def load(path: Path | None) -> Policy:
    """Return a site's policy, or the shipped one.

    Raises
    ------
    PolicyUnreadable
    """
    return shipped() if path is None else _read(path)


def of_run(run: Run) -> Policy:
    """Return the policy that was frozen into a run."""
    return document.load(Policy, run.policy, origin="run.json") if run.policy else shipped()


@cache
def shipped() -> Policy:
    """Return the policy that is used where a site has none of its own."""
    return _read(SHIPPED)


def _read(path: Path) -> Policy:
    try:
        return document.load(
            Policy, tomllib.loads(path.read_text(encoding="utf-8")), origin=str(path)
        )
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, DocumentUnreadable) as error:
        raise PolicyUnreadable(
            f"the policy {path} cannot be used: {error}", evidence={"path": str(path)}
        ) from error
