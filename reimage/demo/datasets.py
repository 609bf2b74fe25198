"""The six datasets of the demonstration archive: different in sky, set-up, era and fate.

All data are simulated; uids and project codes are made up.
"""

from __future__ import annotations

from reimage.demo import observations
from reimage.demo.plan import Block, DemoDataset, QuickImage, Shell
from reimage.model import Calibration
from reimage.uid import Uid


def _uid(text: str) -> Uid:
    return Uid.parse(f"uid://{text}")


def datasets() -> tuple[DemoDataset, ...]:
    """Return the six, a to f."""
    return (_a(), _b(), _c(), _d(), _e(), _f())


def _a() -> DemoDataset:
    """Return what is to be imaged, with the pipeline's tables."""
    mous = _uid("A001/X133d/X1a2b")
    return DemoDataset(
        letter="a",
        about="pipeline-calibrated, Cycle 5+ layout",
        project="2018.1.01234.S",
        cycle=6,
        science_goal=_uid("A001/X133d/X1a29"),
        group=_uid("A001/X133d/X1a2a"),
        mous=mous,
        shell=Shell.MODERN,
        calibration=Calibration.PIPELINE,
        casa="6.7.0-31",
        pipeline="2025.1.0.35",
        band=6,
        blocks=(Block(eb=_uid("A002/Xd0ab12/X3c4d"), observation=observations.alpha(mous)),),
        product=QuickImage(pixels=128, cell_arcsec=0.3),
    )


def _b() -> DemoDataset:
    """Return what is to be imaged, by its scripts."""
    mous = _uid("A001/X12a3/X3f4")
    return DemoDataset(
        letter="b",
        about="manually calibrated, Cycle 2 layout, two execution blocks",
        project="2013.1.00765.S",
        cycle=2,
        science_goal=_uid("A001/X12a3/X3f2"),
        group=_uid("A001/X12a3/X3f3"),
        mous=mous,
        shell=Shell.MANUAL,
        calibration=Calibration.MANUAL,
        casa="6.7.0",
        band=3,
        blocks=(
            Block(
                eb=_uid("A002/X9a1b2c/X1d3"),
                observation=observations.beta(mous, "2014/12/14", -1.4, 21),
            ),
            Block(
                eb=_uid("A002/X9a3f01/X2e7"),
                observation=observations.beta(mous, "2014/12/16", 0.3, 22),
            ),
        ),
        product=QuickImage(pixels=128, cell_arcsec=0.7),
    )


def _c() -> DemoDataset:
    """Return what is to be imaged, from delivered data that are ill."""
    mous = _uid("A002/X411afb/X21")
    return DemoDataset(
        letter="c",
        about="Cycle 0 delivery with calibrated data, mosaic, field coordinates 0,0",
        project="2011.0.00432.S",
        cycle=0,
        science_goal=_uid("A002/X411afb/X1f"),
        group=_uid("A002/X411afb/X20"),
        mous=mous,
        shell=Shell.CYCLE0,
        calibration=Calibration.DELIVERED,
        casa="3.4",
        band=7,
        blocks=(Block(eb=_uid("A002/X3f5a77/X2b1"), observation=observations.gamma(mous)),),
        product=QuickImage(pixels=144, cell_arcsec=0.2, gridder="mosaic"),
        delivered_on="2012-11-08",
        forget_directions=True,
    )


def _d() -> DemoDataset:
    """Return what is to fail: the archive's file is damaged."""
    mous = _uid("A001/X1288/X3e7")
    return DemoDataset(
        letter="d",
        ends="archive-file-damaged",
        about="pipeline-calibrated; the archive's ASDM tar is cut off in the middle",
        project="2017.1.00876.S",
        cycle=5,
        science_goal=_uid("A001/X1288/X3e5"),
        group=_uid("A001/X1288/X3e6"),
        mous=mous,
        shell=Shell.MODERN,
        calibration=Calibration.PIPELINE,
        casa="6.7.0-31",
        pipeline="2025.1.0.35",
        band=3,
        blocks=(
            Block(
                eb=_uid("A002/Xc8f2a1/X5b0"),
                observation=observations.small("Sim_Delta", 41, "2018/01/20", mous),
            ),
        ),
        cut_raw=True,
    )


def _e() -> DemoDataset:
    """Return what is to be refused."""
    mous = _uid("A001/X1465/X2c10")
    return DemoDataset(
        letter="e",
        ends="nothing-to-restore",
        about="semipass shell: nothing to restore",
        project="2019.1.00321.S",
        cycle=7,
        science_goal=_uid("A001/X1465/X2c0e"),
        group=_uid("A001/X1465/X2c0f"),
        mous=mous,
        shell=Shell.SEMIPASS,
        calibration=Calibration.NONE,
        casa="5.6.1-8",
        band=3,
        blocks=(
            Block(
                eb=_uid("A002/Xe1d2f3/X7a2"),
                observation=observations.small("Sim_Epsilon", 42, "2019/12/03", mous),
            ),
        ),
    )


def _f() -> DemoDataset:
    """Return what is to fail for want of a build."""
    mous = _uid("A001/X13b4/X66")
    return DemoDataset(
        letter="f",
        ends="casa-build-missing",
        about="says CASA 4.2.2 everywhere",
        project="2013.1.00101.S",
        cycle=2,
        science_goal=_uid("A001/X13b4/X64"),
        group=_uid("A001/X13b4/X65"),
        mous=mous,
        shell=Shell.MANUAL,
        calibration=Calibration.MANUAL,
        casa="4.2.2",
        band=3,
        blocks=(
            Block(
                eb=_uid("A002/X8b4e02/X9f1"),
                observation=observations.small("Sim_Zeta", 43, "2014/11/30", mous),
            ),
        ),
    )
