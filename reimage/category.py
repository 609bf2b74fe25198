"""What a category is: a named set of datasets of which the same results are expected.

A file ``categories/<id>.toml`` each; the folder is the registry, sites add folders.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reimage import document
from reimage.errors import SettingsError, UsageError


class CategoryUnusable(SettingsError):
    """The file of a category cannot be read, or two files claim one id."""

    code = "category-unusable"
    hint = "ops/guide/contributor.md has a worked example of a category."


class CategoryUnknown(UsageError):
    """No category has this id."""

    code = "category-unknown"
    hint = "`reimage category list` shows the categories; add a file to a folder of categories."


class Pilot(BaseModel):
    """The sample that is run first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(default=10, ge=1)
    """Datasets; all of them when the category has fewer."""
    seed: int = 0
    """The same seed takes the same sample, as long as the members are the same."""
    stop_after_failures: int | None = Field(default=None, ge=1)
    """Failures after which the pilot says enough."""


class Acceptance(BaseModel):
    """When a category counts as validated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    success: float = Field(default=0.9, gt=0, le=1)
    """Share of datasets to end *imaged*, of those that are not refused."""
    quality: tuple[str, ...] = ()
    """Caveats that no product may have."""


class Category(BaseModel):
    """A category, as its file declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = Field(default=1, alias="schema")
    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
    title: str = Field(min_length=5, max_length=200)
    kind: Literal["partition", "selection"]
    """``partition``: together they cover the holdings without overlap; ``selection``: any other set."""
    holding: str = "alma"
    criteria: str = ""
    """A filter over the holdings' columns (`reimage.store.filters`); empty: everything."""
    datasets: tuple[str, ...] = ()
    """Datasets by name, instead of criteria."""
    recipe: Annotated[str, Field(min_length=1)] | None = None
    """None: the recipe of the settings."""
    pilot: Pilot = Pilot()
    acceptance: Acceptance = Acceptance()
    expect: str = ""
    """What an operator should expect of it, in words."""

    @property
    def digest(self) -> str:
        """The sha256 of the declaration."""
        return document.digest(self.model_dump(mode="json", by_alias=True))


def load_categories(folders: Iterable[Path]) -> tuple[Category, ...]:
    """Return every category of the folders, by id.

    Raises
    ------
    CategoryUnusable
    """
    found: dict[str, Path] = {}
    categories: list[Category] = []
    for path in (path for folder in folders for path in sorted(folder.glob("*.toml"))):
        category = read(path)
        if category.id in found:
            raise CategoryUnusable(
                f"category {category.id} is declared twice",
                evidence={"files": [str(found[category.id]), str(path)]},
            )
        found[category.id] = path
        categories.append(category)
    return tuple(sorted(categories, key=lambda category: category.id))


def find_category(category_id: str, folders: Iterable[Path]) -> Category:
    """Return a category by its id.

    Raises
    ------
    CategoryUnknown, CategoryUnusable
    """
    known = load_categories(folders)
    for category in known:
        if category.id == category_id:
            return category
    raise CategoryUnknown(
        f"no category {category_id!r}", evidence={"known": [category.id for category in known]}
    )


def read(path: Path) -> Category:
    """Read one file; its name is the category's id.

    Raises
    ------
    CategoryUnusable
    """
    try:
        category = Category.model_validate(
            {"id": path.stem, **tomllib.loads(path.read_text(encoding="utf-8"))}
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CategoryUnusable(
            f"{path}: {where}: {first['msg']}", evidence={"file": str(path), "key": where}
        ) from error
    except (OSError, ValueError) as error:
        raise CategoryUnusable(f"{path}: {error}", evidence={"file": str(path)}) from error
    if category.id != path.stem:
        raise CategoryUnusable(f"{path}: its id is {category.id}, not its name")
    if category.criteria and category.datasets:
        raise CategoryUnusable(f"{path}: criteria or datasets, not both")
    return category


def sample(members: Sequence[str], pilot: Pilot) -> tuple[str, ...]:
    """Return the pilot of a category: a random choice that the seed fixes, in the members' order."""
    if len(members) <= pilot.size:
        return tuple(members)
    ordered = sorted(members)
    chosen = set(random.Random(pilot.seed).sample(ordered, pilot.size))  # noqa: S311 -- no secret
    return tuple(member for member in members if member in chosen)
