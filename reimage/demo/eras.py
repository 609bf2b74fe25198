"""Simulated deliveries of every era: one kind for each layout and each way to restore, beside the six.

All kinds are packaged from the same three small simulations (two execution blocks), so that they cost
seconds; what differs is what differed over the years: trees, names, documents, scripts, packaging, and
what is missing.  Sources: the archive's pages on packaging, inventories of real packages of Cycles 4 to
11, delivered scriptForPI.py.  Each kind says what it is and how it must end: tests hold us to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from reimage.demo import observations
from reimage.demo.plan import Block, DemoDataset, QuickImage, Shell
from reimage.model import Calibration
from reimage.uid import Uid

RUNNING = "running"
"""Stands for the version of the CASA that restores, in the gate lines of manual scripts."""
FIRST, SECOND = "uid://A002/X7e4a10/X2c1", "uid://A002/X7e4b33/X91f"
RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class EraKind:
    """One kind of delivery, and how it must end."""

    id: str
    about: str
    dataset: DemoDataset
    """What the documents say: project, uids, CASA."""
    form: str
    """Which of `reimage.demo.era_trees.FORMS` lays it out."""
    layout: str
    """As the reader must find it."""
    calibration: Calibration
    method: str = ""
    """How it is restored; empty where it is not."""
    ends: str = RESTORED
    """*restored*, or the code of what stops it."""
    era: str
    """By whose habits its files are named, as the reader must find it."""
    wanted: str
    """Version that *choose* must find to be asked for."""
    doubtful: bool = False
    """The choice must be marked so when the build is another version than the one asked for."""
    without_raw: tuple[str, ...] = ()
    """Execution blocks whose ASDM the archive does not list."""
    caveats: tuple[str, ...] = ()
    """Beginnings of caveats that must be there."""


def simulations() -> dict[str, DemoDataset]:
    """Return what CASA simulates, once for all kinds: pipeline's tables block by block, and by scripts."""
    return {
        "first": _simulated("first", Calibration.PIPELINE, Shell.MODERN, (FIRST,)),
        "second": _simulated("second", Calibration.PIPELINE, Shell.MODERN, (SECOND,)),
        "manual": _simulated("manual", Calibration.DELIVERED, Shell.CYCLE0, (FIRST, SECOND)),
    }


def _simulated(
    name: str, calibration: Calibration, shell: Shell, ebs: tuple[str, ...]
) -> DemoDataset:
    mous = Uid.parse("uid://A001/X5a0/X10")
    return DemoDataset(
        letter=f"eras-{name}",
        about="what the kinds of deliveries are packaged from",
        project="2013.1.00999.S",
        cycle=2,
        science_goal=Uid.parse("uid://A001/X5a0/Xe"),
        group=Uid.parse("uid://A001/X5a0/Xf"),
        mous=mous,
        shell=shell,
        calibration=calibration,
        casa="6.7.0",
        band=3,
        blocks=tuple(_block(eb, mous) for eb in ebs),
        product=QuickImage(pixels=64, cell_arcsec=0.7) if FIRST in ebs else None,
    )


def _block(eb: str, mous: Uid) -> Block:
    """Return a block of six antennas; both look at the same field, which `small` places by its seed."""
    day, seed = ("2014/12/14", 71) if eb == FIRST else ("2014/12/16", 72)
    observed = observations.small("Sim_Eras", 71, day, mous)
    # of 8 channels a cube would keep one, after the flagged edges and the margins of the LSRK axis
    spws = (replace(spw, channels=16, width_hz=spw.width_hz / 2) for spw in observed.spws)
    return Block(eb=Uid.parse(eb), observation=replace(observed, seed=seed, spws=tuple(spws)))


def said(
    project: str, cycle: int, casa: str, pipeline: str = "", session: str = "session_1"
) -> DemoDataset:
    """Return what a kind's documents say, on the blocks that were simulated."""
    first, manual = simulations()["first"], simulations()["manual"]
    return replace(
        first,
        project=project,
        cycle=cycle,
        casa=casa,
        pipeline=pipeline,
        session=session,
        blocks=manual.blocks,
        delivered_on="2012-11-08" if cycle == 0 else "",
    )
