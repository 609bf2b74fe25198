"""Image: the plan of a recipe, carried out by its engine, each image proven or absent with a reason."""

from __future__ import annotations

from reimage import __version__, document
from reimage.imaging import engines
from reimage.imaging.request import ImagingMs, ImagingRequest
from reimage.model import Stage
from reimage.recipes import Recipe
from reimage.stages.carried import carried
from reimage.stages.context import StageContext
from reimage.stages.values import ImageValue, RestoreValue


def run(context: StageContext) -> ImageValue:
    """Make every image of the plan.

    Raises
    ------
    ImagingCasaTooOld
        The build that restored cannot image, and no other is registered.
    ReimageError
        What the engine raises.
    """
    recipe = document.load(Recipe, context.run.recipe, origin="run.json: recipe")
    build = context.imaging_build()
    restored = context.value(Stage.RESTORE, RestoreValue)
    imaged = engines.make(
        ImagingRequest(
            ms=tuple(
                ImagingMs(eb=ms.eb, path=context.directory / ms.path, column=ms.column)
                for ms in restored.ms
            ),
            recipe=recipe,
            dataset=context.run.dataset,
            root=context.directory,
            directory=context.work(Stage.IMAGE),
            build=build,
            limits=context.run.limits,
            emit=context.emit,
            still_current=context.still_current,
            keywords=_keywords(context, recipe),
            carried=carried(context),
        )
    )
    other = build != context.build()
    return ImageValue(
        plan=imaged.plan,
        products=imaged.products,
        caveats=(
            *((f"imaged-with-other-casa:{build.version}",) if other else ()),
            *imaged.caveats,
        ),
    )


def _keywords(context: StageContext, recipe: Recipe) -> dict[str, str]:
    """Return what every FITS header says of where the image comes from; values fit one card."""
    words = {
        "REIMAGE": __version__,
        "RECIPE": recipe.id,
        "RECDIG": context.run.recipe_digest,
        "RUNID": context.run.run,
        "BUILD": context.imaging_build().id,
        "MEMBER": context.run.dataset,
        "PROPCODE": str(context.run.facts.get("project") or ""),
    }
    return {key: value[:68] for key, value in words.items() if value}
