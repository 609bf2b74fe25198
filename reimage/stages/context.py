"""What a stage is given: the frozen run, its directory, and the proven values of earlier stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from reimage import document
from reimage.casa import imaging, process
from reimage.errors import ReimageError
from reimage.journal import Emit
from reimage.model import CasaBuild, Stage
from reimage.run import Run
from reimage.stages.values import ChooseValue

T = TypeVar("T")

PROVEN = "PROVEN.json"


class StageNotProven(ReimageError):
    """A stage asks for what no earlier stage has proven."""

    code = "stage-not-proven"
    hint = "The recipe's stage list is out of order."


@dataclass(frozen=True, slots=True, kw_only=True)
class StageContext:
    """One attempt at one run, as a stage sees it."""

    run: Run
    directory: Path
    """The run directory, absolute."""
    attempt: int
    emit: Emit
    """Writes an event into the attempt's journal."""
    still_current: Callable[[], None]
    """Raises when another attempt has taken over; to be asked before every proof."""

    def work(self, stage: Stage) -> Path:
        """Return the working directory of a stage, made if absent."""
        path = self.directory / stage.value
        path.mkdir(exist_ok=True)
        return path

    def value(self, stage: Stage, kind: type[T]) -> T:
        """Return what an earlier stage has proven.

        Raises
        ------
        StageNotProven
        """
        path = self.directory / stage.value / PROVEN
        if not path.exists():
            raise StageNotProven(f"{stage} is not proven", evidence={"stage": stage.value})
        return document.load(kind, document.read_json(path)["value"], origin=str(path))

    def run_job(
        self,
        job: str,
        inputs: Mapping[str, Any],
        directory: Path,
        build: CasaBuild | None = None,
    ) -> dict[str, Any]:
        """Run a CASA job of a build within this run: its limits, journal and directory.

        Parameters
        ----------
        build
            None: the one that *choose* found or, where that cannot run jobs, the newest that can.

        Raises
        ------
        CasaNotStarted, CasaJobFailed, CasaTimeout, CasaSilent, CasaForJobsMissing
        """
        return process.run_job(
            build or self.job_build(),
            job,
            inputs,
            directory=directory,
            limits=self.run.limits,
            emit=self.emit,
            writable=self.directory,
        )

    def run_script(
        self, inputs: Mapping[str, Any], directory: Path, *, pipeline: bool = False
    ) -> dict[str, Any]:
        """Run a delivered script as people do: in the shell of a monolithic build, where it is one.

        Parameters
        ----------
        inputs
            See job ``restore_script``.
        pipeline
            The script calls the ALMA pipeline.

        Raises
        ------
        CasaNotStarted, CasaJobFailed, CasaTimeout, CasaSilent
        """
        build = self.build()
        if build.casa is None:
            asked = {**inputs, "pipeline": pipeline}
            return self.run_job("restore_script", asked, directory, build)
        return process.run_in_shell(
            build,
            "shell_script",
            inputs,
            directory=directory,
            limits=self.run.limits,
            emit=self.emit,
            writable=self.directory,
            pipeline=pipeline,
        )

    def build(self) -> CasaBuild:
        """Return the build that *choose* found."""
        chosen = self.value(Stage.CHOOSE, ChooseValue).choice.build
        return next(build for build in self.run.builds if build.id == chosen)

    def job_build(self) -> CasaBuild:
        """Return the build that runs our jobs: the chosen one, or a newer one where it is CASA 5 or older.

        Raises
        ------
        CasaForJobsMissing
        """
        return imaging.job_build(self.build(), self.run.builds)

    def imaging_build(self) -> CasaBuild:
        """Return the build that makes the images: the chosen one, or another where it cannot.

        Raises
        ------
        ImagingCasaTooOld, PipelineNotInBuild
        """
        if self.run.recipe.get("engine") == "pipeline":
            return imaging.pipeline_build(self.build(), self.run.builds)
        return imaging.imaging_build(self.build(), self.run.builds)
