"""Words for shell completion: only what small files say, and nothing when they cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from reimage import settings
from reimage.errors import ReimageError
from reimage.settings import Settings, shipped
from reimage.triage.catalogue import SHIPPED as SHIPPED_CLASSES

SHIPPED_RECIPES = Path(__file__).parent.parent / "recipes"


def builds(incomplete: str) -> list[str]:
    """Return registered builds."""
    return _stems([found.builds_dir for found in _settings()], "*.json", incomplete)


def recipes(incomplete: str) -> list[str]:
    """Return recipes, shipped and a site's."""
    folders = [SHIPPED_RECIPES, *(f for found in _settings() for f in found.recipes)]
    return _stems(folders, "*.toml", incomplete)


def categories(incomplete: str) -> list[str]:
    """Return categories, shipped and a site's."""
    folders = [shipped("categories"), *(f for found in _settings() for f in found.categories)]
    return _stems(folders, "*.toml", incomplete)


def fixes(incomplete: str) -> list[str]:
    """Return fixes, shipped and a site's: a module is called like its fix, but for the hyphens."""
    folders = [shipped("fixes"), *(f for found in _settings() for f in found.fixes)]
    stems = _stems(folders, "[!_]*.py", incomplete.replace("-", "_"))
    return [stem.replace("_", "-") for stem in stems]


def error_classes(incomplete: str) -> list[str]:
    """Return error classes, shipped and a site's."""
    folders = [SHIPPED_CLASSES, *(f for found in _settings() for f in found.classes)]
    return _stems(folders, "*/*.toml", incomplete)


def _settings() -> Iterator[Settings]:
    """Yield the settings, or nothing: completion never speaks of errors."""
    try:
        yield settings.load()
    except ReimageError:
        return


def _stems(folders: Iterable[Path], pattern: str, incomplete: str) -> list[str]:
    stems = {file.stem for folder in folders for file in folder.glob(pattern)}
    return sorted(stem for stem in stems if stem.startswith(incomplete))
