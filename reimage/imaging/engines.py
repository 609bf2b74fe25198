"""The engines by name, as recipes call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reimage.errors import RecipeError
from reimage.imaging import pipeline_engine, tasks_engine
from reimage.imaging.request import Imaged, ImagingRequest


class RecipeEngineUnknown(RecipeError):
    """The recipe asks for an engine that this installation does not have."""

    code = "imaging-engine-missing"
    hint = 'Use a recipe with engine = "tasks".'


_ENGINES: Mapping[str, Callable[[ImagingRequest], Imaged]] = {
    "tasks": tasks_engine.make,
    "pipeline": pipeline_engine.make,
}


def make(request: ImagingRequest) -> Imaged:
    """Make every image of the recipe's plan with the recipe's engine.

    Raises
    ------
    RecipeEngineUnknown
    ReimageError
        What the engine raises: see there.
    """
    name = request.recipe.engine
    if name not in _ENGINES:
        raise RecipeEngineUnknown(f"{request.recipe.id} wants the engine {name!r}")
    return _ENGINES[name](request)
