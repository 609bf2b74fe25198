"""The delivered scripts: the templates of `scripts/`, filled in for a dataset."""

from __future__ import annotations

import re
from pathlib import Path

from reimage.demo.plan import Block, DemoDataset

SCRIPTS = Path(__file__).parent / "scripts"

# As the script generator wrote it in each era; `casalith` is not in modular CASA, its version is.
_GATE = """if re.search("^{version}", {expression}) == None:
    sys.exit("ERROR: PLEASE USE THE SAME VERSION OF CASA THAT YOU USED FOR GENERATING THE SCRIPT: {version}")"""
_MODERN = (
    "import casatasks  # casalith.version() is not there in modular CASA: casatasks knows it\n\n"
)


def script_for_pi() -> str:
    """Return scriptForPI.py, the same for every delivery."""
    return (SCRIPTS / "scriptForPI.py").read_text(encoding="utf-8")


def gate(version: str) -> str:
    """Return the lines that refuse any other version of CASA."""
    if int(version.split(".", maxsplit=1)[0]) < 5:  # noqa: PLR2004 -- CASA 5 changed the way
        return _GATE.format(version=version, expression="casadef.casa_version")
    return _MODERN + _GATE.format(version=version, expression="casatasks.version_string()")


def script_for_calibration(dataset: DemoDataset, block: Block, *, version: str) -> str:
    """Return the scriptForCalibration of an execution block, for a version of CASA."""
    observation = block.observation
    strong = observation.by_role("bandpass").components[0]
    edge = ",".join(f"{k}:0;{spw.channels - 1}" for k, spw in enumerate(observation.spws))
    values = {
        "EB": block.eb.name,
        "PROJECT": dataset.project,
        "GATE": gate(version),
        "BANDPASS": observation.by_role("bandpass").name,
        "PHASE": observation.by_role("phase").name,
        "TARGET": dataset.target,
        "REFANT": observation.antennas[0],
        "EDGE": edge,
        "FLUX": f"{strong.flux_jy:g}",
        "INDEX": f"{strong.spectral_index:g}",
        "REFERENCE": f"{strong.reference_hz:.1f}",
    }
    text = (SCRIPTS / "scriptForCalibration.py").read_text(encoding="utf-8")
    return re.sub(r"(?:# )?@([A-Z]+)@", lambda found: values[found[1]], text)
