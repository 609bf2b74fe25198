"""Where the things are that a command line names by a dataset."""

from __future__ import annotations

from pathlib import Path

from reimage import queueing
from reimage.cli.invocation import Invocation
from reimage.errors import UidMalformed, UsageError
from reimage.model import Stage
from reimage.uid import Uid


class DeliveryNotHere(UsageError):
    """What was named is no directory, no file, and no dataset that was fetched."""

    code = "delivery-not-here"
    hint = "Name a directory or a file of a delivery, or fetch the dataset: `reimage run MOUS --until choose`."


def found(target: str | Path) -> Path | None:
    """Return what is called so on the disk; None where nothing is, or can be."""
    try:
        path = Path(target).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError):  # too long for a name, not ours to look into, nobody's home
        return None


def latest_run(invocation: Invocation, target: str) -> Path:
    """Return the directory of a dataset's latest run; this asks the run database.

    Raises
    ------
    DeliveryNotHere
        It is no dataset's name.
    RunUnknown
    """
    try:
        dataset = str(Uid.parse(target))
    except UidMalformed as error:
        raise DeliveryNotHere(
            f"no directory, file or dataset {target!r}", evidence={"target": target}
        ) from error
    settings = invocation.settings
    with invocation.database() as database, database.read() as session:
        row = queueing.find_target(session, settings.holding, dataset)
    return queueing.run_directory(settings, row)


def fetched(run_directory: Path) -> Path:
    """Return the delivery of a run.

    Raises
    ------
    DeliveryNotHere
    """
    delivery = run_directory / Stage.FETCH.value / "delivery"
    if not delivery.is_dir():
        raise DeliveryNotHere(
            f"{run_directory} has fetched nothing yet", evidence={"run": str(run_directory)}
        )
    return delivery
