"""Choose: what was delivered, whether a rule refuses it, and which CASA restores it.  Pure, and told."""

from __future__ import annotations

from reimage.casa import choose, imaging, policy
from reimage.delivery import layout, refusal, versions
from reimage.model import Calibration, CasaChoice, Stage
from reimage.stages.context import StageContext
from reimage.stages.values import ChooseValue, FetchValue


def run(context: StageContext) -> ChooseValue:
    """Read the delivery and choose a build.

    Raises
    ------
    DataProprietary, NoRecipe, NothingToRestore
        Refusals: not applicable by rule.
    CasaBuildMissing, CasaVersionNotStated, CasaForJobsMissing, DeliveryEmpty
    """
    refusal.refuse_by_facts(context.run.facts, archive_decides=True)  # it has handed them out
    fetched = context.value(Stage.FETCH, FetchValue)
    delivery = layout.read_layout(context.directory / fetched.delivery)
    refusal.refuse_by_delivery(delivery)
    context.emit(
        "delivery.read",
        layout=delivery.layout,
        era=delivery.era,
        calibration=delivery.calibration.value,
        ebs=list(delivery.ebs),
        notes=list(delivery.notes),
    )
    statements = versions.find_statements(delivery)
    choice = choose.choose(
        delivery.calibration,
        statements,
        context.run.builds,
        context.run.casa,
        policy.of_run(context.run),
    )
    context.emit(
        "casa.chosen",
        build=choice.build,
        wanted=choice.wanted,
        doubtful=choice.doubtful,
        because=list(choice.because),
        alternatives=list(choice.alternatives),
    )
    chosen = choose.require(choice, context.run.builds, context.run.casa)
    return ChooseValue(
        delivery=delivery,
        choice=choice,
        caveats=_caveats(context, delivery.calibration, chosen, choice),
    )


def _caveats(
    context: StageContext, calibration: Calibration, chosen: str, choice: CasaChoice
) -> tuple[str, ...]:
    build = next(build for build in context.run.builds if build.id == chosen)
    wanted = choice.wanted
    if calibration is Calibration.PIPELINE and build.pipeline is None:
        build = imaging.job_build(build, context.run.builds)  # that applies the pipeline's tables
    is_restored = calibration is not Calibration.DELIVERED
    if is_restored and wanted and not choose.fits(build, wanted):
        return (f"restored-with-other-casa:{build.version} for {wanted}",)
    return (
        (f"casa-version-doubtful:{wanted}",) if choice.doubtful and wanted and is_restored else ()
    )
