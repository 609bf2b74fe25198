"""The kinds of deliveries, era by era, and how each must end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reimage.demo.eras import FIRST, RUNNING, SECOND, EraKind, said
from reimage.demo.plan import DemoDataset
from reimage.model import Calibration
from reimage.uid import Uid


def kinds(running: str) -> tuple[EraKind, ...]:
    """Return every kind.

    Parameters
    ----------
    running
        Version of the CASA that is to restore (``6.7.0``): manual scripts run in no other.
    """
    made = (
        *_early(),
        *_manual(),
        *_from_tables(_PIPELINE),
        *_not_restored(),
        *_from_tables(_AWKWARD),
    )
    return tuple(_numbered(kind, number, running) for number, kind in enumerate(made, start=1))


def _numbered(kind: EraKind, number: int, running: str) -> EraKind:
    """Give a kind uids of its own, and the running CASA where it asks for it."""
    prefix = "A002" if "A002" in kind.about else "A001"
    dataset = replace(
        kind.dataset,
        letter=kind.id,
        about=kind.about,
        mous=Uid.parse(f"uid://{prefix}/X5b{number:02x}/X3"),
        group=Uid.parse(f"uid://{prefix}/X5b{number:02x}/X2"),
        science_goal=Uid.parse(f"uid://{prefix}/X5b{number:02x}/X1"),
        casa=running if kind.dataset.casa == RUNNING else kind.dataset.casa,
    )
    return replace(kind, dataset=dataset, wanted=running if kind.wanted == RUNNING else kind.wanted)


def _early() -> tuple[EraKind, ...]:
    return (
        EraKind(
            id="cycle0-dated",
            about="Cycle 0: one dated tar, calibrated MSs inside",
            dataset=said("2011.0.00511.S", 0, "3.4"),
            form="dated",
            layout="dated",
            era="cycle-0",
            calibration=Calibration.DELIVERED,
            method="delivered",
            wanted="3.4",
        ),
        EraKind(
            id="cycle0-named",
            about="Cycle 0: tree without date and uids, calibrated MSs inside, README in capitals",
            dataset=said("2011.0.00170.S", 0, "3.3"),
            form="named",
            layout="named",
            era="cycle-0",
            calibration=Calibration.DELIVERED,
            method="delivered",
            wanted="3.3",
        ),
    )


def _scripts(id_: str, about: str, dataset: DemoDataset, form: str, layout: str = "uid") -> EraKind:
    """Return a kind that is calibrated anew by its scripts."""
    return EraKind(
        id=id_,
        about=about,
        dataset=dataset,
        form=form,
        layout=layout,
        era="cycle-1-4-manual",
        calibration=Calibration.MANUAL,
        method="scriptForPI",
        wanted=dataset.casa,
    )


def _manual() -> tuple[EraKind, ...]:
    old = _scripts(
        "cycle1-manual-4.1",
        "Cycle 1, MOUS of archive A002, repackaged: scripts for CASA 4.1",
        said("2012.1.00350.S", 1, "4.1"),
        "manual",
    )
    return (
        replace(old, ends="casa-build-missing", method=""),
        _scripts(
            "cycle1-manual-old-tree",
            "Cycle 1: tree without uids, calibration by scripts",
            said("2012.1.00104.S", 1, RUNNING),
            "manual_named",
            "named",
        ),
        _scripts(
            "cycle2-manual",
            "Cycle 2: two execution blocks, calibration by scripts",
            said("2013.1.00765.S", 2, RUNNING),
            "manual",
        ),
        replace(
            _scripts(
                "cycle2-manual-scripts-only",
                "Cycle 2: scripts of the execution blocks and no scriptForPI.py",
                said("2013.1.00766.S", 2, RUNNING),
                "manual_without_script_for_pi",
            ),
            method="scripts",
        ),
    )


def _tables(id_: str, about: str, dataset: DemoDataset, form: str) -> EraKind:
    """Return a kind that is restored from the pipeline's tables, without the pipeline."""
    eras = {2: "2-3", 3: "2-3", 4: "4", 12: "10-12"}
    return EraKind(
        id=id_,
        about=about,
        dataset=dataset,
        form=form,
        layout="uid",
        era=f"cycle-{eras.get(dataset.cycle, '5-9')}-pipeline",
        calibration=Calibration.PIPELINE,
        method="tables",
        wanted=dataset.casa,
        doubtful=True,
        caveats=("restored-without-pipeline", "restored-with-other-casa:"),
    )


def _from_tables(rows: Iterable[tuple[str, str, DemoDataset, str]]) -> tuple[EraKind, ...]:
    return tuple(_tables(*row) for row in rows)


_PIPELINE = (
    (
        "cycle2-pipeline",
        "Cycle 2: first pipeline, .tar.gz, no manifest, PPR_uid.xml",
        said("2013.1.00815.S", 2, "4.2.2"),
        "pipeline_tar_gz",
    ),
    (
        "cycle3-pipeline-run-together",
        "Cycle 3: .tar.gz, session and MOUS run together in the tables' name",
        said("2015.1.00425.S", 3, "4.5.3"),
        "pipeline_run_together",
    ),
    (
        "cycle4-pipeline",
        "Cycle 4: .tgz, no prefix, cont.dat loose",
        said("2016.1.01435.S", 4, "4.7.2"),
        "pipeline_loose",
    ),
    (
        "cycle5-pipeline",
        "Cycle 5: prefix, manifest, auxiliary caltables and auxiliary calapply",
        said("2017.1.01185.S", 5, "5.1.1-5", "40896"),
        "pipeline_prefixed",
    ),
    (
        "cycle7-pipeline-two-sessions",
        "Cycle 7: two sessions, doubled recipe in the manifest's name, casa_commands.log in script",
        said("2019.1.00796.S", 7, "5.6.1-8", "42866"),
        "pipeline_two_sessions",
    ),
    (
        "cycle9-pipeline-second-session",
        "Cycle 9: the first session is empty in the PPR, tables of session 2 only",
        said("2022.1.00224.S", 9, "6.4.1.12", "2022.2.0.64", "session_2"),
        "pipeline_second_session",
    ),
    (
        "cycle12-pipeline",
        "Cycle 12: s1.caltables.tgz, antenna positions as JSON, pldriver report",
        said("2025.1.00018.S", 12, "6.6.6-17", "2025.1.0.35", "s1"),
        "pipeline_recent",
    ),
)


def _nothing(kind: EraKind) -> EraKind:
    return replace(kind, calibration=Calibration.NONE, method="", caveats=(), doubtful=False)


def _not_restored() -> tuple[EraKind, ...]:
    modern = said("2019.1.00321.S", 7, "5.6.1-8", "42866")
    total = _tables(
        "total-power",
        "Cycle 7: total power, hsd_calimage, jyperk.csv",
        replace(modern, project="2019.1.00500.S"),
        "total_power",
    )
    shell = _tables(
        "semipass",
        "Cycle 7: semipass shell, scriptForPI.py and nothing that it could restore from",
        modern,
        "semipass",
    )
    auxiliary = _tables(
        "auxiliary-only",
        "Cycle 6: partial download, the auxiliary tar without the raw data",
        said("2018.1.00035.S", 6, "5.4.0-70", "42254"),
        "pipeline_prefixed",
    )
    half = _tables(
        "one-block-missing",
        "Cycle 6: partial download, the raw data of one of two execution blocks are absent",
        said("2018.1.00036.S", 6, "5.4.0-68", "42030"),
        "pipeline_prefixed",
    )
    return (
        replace(_nothing(total), ends="no-recipe", era="total-power"),
        replace(_nothing(shell), ends="nothing-to-restore", era="semipass-shell"),
        replace(
            auxiliary,
            ends="archive-listing-incomplete",
            method="",
            caveats=(),
            without_raw=(FIRST, SECOND),
        ),
        replace(half, caveats=(*half.caveats, "restored-partially:"), without_raw=(SECOND,)),
    )


_AWKWARD = (
    (
        "nested",
        "Cycle 8: unpacked in place, the raw data's tree inside the member directory",
        said("2021.1.00018.S", 8, "6.2.1.7", "2021.2.0.128"),
        "nested",
    ),
    (
        "bulk-names",
        "Cycle 6: science_goal_, group_obs_unit_set_ as the bulk tools write them",
        said("2018.1.00037.S", 6, "5.4.0-70", "42254"),
        "bulk",
    ),
    (
        "odd-names",
        "Cycle 3: directories and suffixes in capitals, latin-1 README, product names with ( ; blank",
        said("2015.1.00426.S", 3, "4.5.3"),
        "odd_names",
    ),
)
