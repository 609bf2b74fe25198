"""Taking over proven stages of an earlier run of the same dataset, where their inputs are the same.

Delivered files are hard-linked, cheap and safe: nobody writes into them.  Restored MSs change their
owner, because CASA writes into an MS even when it only reads; the earlier run keeps a note.  Images are taken
over only by a run that is to make the missing ones.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from reimage import SCHEMA_VERSION, document
from reimage.imaging import records
from reimage.model import Stage
from reimage.stages.context import PROVEN, StageContext

LINKED = (Stage.FETCH,)
MOVED = (Stage.RESTORE,)
NOTE = "ADOPTED_BY"
"""In a stage that changed its owner: the run that has it now."""
BEGUN = "ADOPTED.json"
"""Written when images have been taken over: a second attempt does not do it again."""


def input_digest(context: StageContext, stage: Stage, earlier: Mapping[Stage, str]) -> str:
    """Return the digest of all that a stage's result depends on.

    Parameters
    ----------
    earlier
        Digests of the stages before it, in order.  *Restore* depends on the build that was chosen,
        not on all that could have been: registering one more does not undo restored data.
    """
    run = context.run
    before = list(earlier.values())[-1:]
    own: object = None
    if stage is Stage.FETCH:
        own = {
            "holding": run.holding,
            "dataset": run.dataset,
            "archive": run.archive,
            "last_modified": run.facts.get("last_modified"),  # delivered anew under the same names
        }
    elif stage is Stage.CHOOSE:
        builds = [[build.id, build.version, build.python] for build in run.builds]
        own = {"builds": builds, "casa": run.casa, "policy": run.policy}
    elif stage is Stage.RESTORE:
        before = [earlier[Stage.FETCH]]
        build = context.build()
        own = {
            "build": [build.id, build.version, build.pipeline],
            "fixes": [[fix.id, fix.sha256] for fix in run.fixes],
        }
        if build.python is None:  # another one applies tables and repairs MSs
            own["jobs"] = [context.job_build().id, context.job_build().version]
    elif stage is Stage.IMAGE:
        own = {"recipe": run.recipe_digest}
    return document.digest(
        {"schema": SCHEMA_VERSION, "stage": stage.value, "before": before, "own": own}
    )


def adopt(context: StageContext, stage: Stage, digest: str) -> None:
    """Take over a stage of ``run.adopt_from`` if it is proven there with this digest."""
    if context.run.adopt_from is None:
        return
    if stage is Stage.IMAGE and context.run.only_missing:
        _adopt_images(context, digest)
    if stage not in LINKED + MOVED:
        return
    earlier, here = Path(context.run.adopt_from) / stage.value, context.directory / stage.value
    theirs = earlier / PROVEN
    if (here / PROVEN).exists() or not theirs.exists():
        return
    proven = document.read_json(theirs)
    if proven["digest"] != digest or proven["value"].get("postponed"):
        return  # postponed: its raw data were left in the archive, and now they may be wanted
    shutil.rmtree(here)
    if stage in MOVED:
        earlier.rename(here)
        earlier.mkdir()
        (earlier / NOTE).write_text(context.run.run + "\n")
    else:
        part = here.with_name(here.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(earlier, part, copy_function=os.link, symlinks=True)
        part.rename(here)
    context.emit("stage.adopted", stage=stage.value, adopted_from=context.run.adopt_from)


def _adopt_images(context: StageContext, digest: str) -> None:
    """Take over the images that the earlier run made of the same inputs; whether it ended does not matter."""
    earlier, here = Path(str(context.run.adopt_from)), context.work(Stage.IMAGE)
    theirs = earlier / Stage.IMAGE.value
    if (here / BEGUN).exists() or (here / PROVEN).exists() or not theirs.exists():
        return
    proven = theirs / PROVEN
    if proven.exists():
        same = document.read_json(proven)["digest"] == digest
    else:  # it was killed or ran out of time: the same if recipe and restored data are
        note = earlier / Stage.RESTORE.value / NOTE
        ours = note.exists() and note.read_text().strip() == context.run.run
        recipe = document.read_json(earlier / "run.json")["recipe_digest"]
        same = ours and recipe == context.run.recipe_digest
    number = records.take_over(theirs, here) if same else 0
    document.write(here / BEGUN, {"images": number})
    context.emit("image.adopted", images=number, adopted_from=str(earlier))
