"""The steps that recipes may name: tasks of the ALMA pipeline and their parameters, as today's spells them.

A parameter is listed with a value of its type.  ``CARRIED`` are those that the *tasks* engine carries
out; another one may be written in a recipe of that engine only with the value listed here, its default,
because a parameter that is silently ignored is a lie.  How other releases spell these words:
``dialects/pipeline.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from reimage.recipes.recipe import Value

_MASKING: Mapping[str, Value] = {
    "hm_sidelobethreshold": -999.0,
    "hm_noisethreshold": -999.0,
    "hm_lownoisethreshold": -999.0,
    "hm_negativethreshold": -999.0,
    "hm_minbeamfrac": -999.0,
    "hm_growiterations": -999,
    "hm_dogrowprune": True,
    "hm_minpercentchange": -999.0,
    "hm_fastnoise": True,
}
"""Parameters of auto-multithresh; where a recipe sets none, the heuristics choose."""

TASKS: Mapping[str, Mapping[str, Value]] = {
    "hifa_importdata": {"dbservice": False, "minparang": 0.0},
    "hifa_restoredata": {"copytoraw": True, "products_dir": "../products", "ocorr_mode": "ca"},
    "hif_mstransform": {"intent": "TARGET", "chanbin": 1, "timebin": "0s"},
    "hifa_flagtargets": {"template": True, "filetemplate": ""},
    "hif_findroi": {"field": "", "spw": ""},
    "hifa_imageprecheck": {"calcsb": False, "desired_angular_resolution": ""},
    "hif_checkproductsize": {
        "maxcubesize": -1.0,
        "maxcubelimit": -1.0,
        "maxproductsize": -1.0,
        "calcsb": False,
    },
    "hif_makeimlist": {
        "specmode": "cube",
        "intent": "TARGET",
        "field": "",
        "spw": "",
        "contfile": "cont.dat",
        "robust": 0.5,
        "nbins": "",
        "uvtaper": "",
        "hm_cell": "",
        "hm_imsize": "",
        "datatype": "best",
        "per_eb": False,
        "calcsb": False,
        "stokes": "",
    },
    "hif_findcont": {"hm_perchanweightdensity": True, "hm_weighting": "briggsbwtaper"},
    "hif_uvcontfit": {"fitorder": 1, "contfile": "cont.dat", "solint": "int"},
    "hif_uvcontsub": {"fitorder": 1, "applymode": "calflag"},
    "hif_makeimages": {
        **_MASKING,
        "hm_masking": "auto",
        "hm_cleaning": "rms",
        "hm_cyclefactor": -999.0,
        "hm_minpsffraction": -999.0,
        "hm_maxpsffraction": -999.0,
        "hm_nsigma": 0.0,
        "hm_perchanweightdensity": True,
        "hm_weighting": "briggs",
        "drcorrect": -999.0,
        "tlimit": 2.0,
        "masklimit": 4,
        "maxncleans": 10,
        "cleancontranges": False,
        "calcsb": False,
    },
    "hif_selfcal": {
        "field": "",
        "spw": "",
        "contfile": "cont.dat",
        "hm_cell": "",
        "hm_imsize": "",
        "apply": True,
        "recal": False,
        "n_solints": 4.0,
        "amplitude_selfcal": False,
        "gaincal_minsnr": 2.0,
        "minsnr_to_proceed": 3.0,
        "delta_beam_thresh": 0.05,
        "refantignore": "",
    },
    "hifa_exportdata": {
        "imaging_products_only": False,
        "pprfile": "",
        "calintents": "",
        "products_dir": "../products",
    },
}

CARRIED: Mapping[str, frozenset[str]] = {
    "hifa_importdata": frozenset(),
    "hif_mstransform": frozenset({"chanbin", "timebin"}),
    "hifa_flagtargets": frozenset({"template"}),
    "hifa_imageprecheck": frozenset(),
    "hif_checkproductsize": frozenset({"maxcubesize", "maxcubelimit", "maxproductsize"}),
    "hif_makeimlist": frozenset(
        {"specmode", "field", "spw", "contfile", "robust", "datatype"}
        | {"nbins", "hm_cell", "hm_imsize", "uvtaper"}
    ),
    "hif_findcont": frozenset(),
    "hif_uvcontfit": frozenset({"fitorder"}),
    "hif_uvcontsub": frozenset({"fitorder"}),
    "hif_makeimages": frozenset({*_MASKING, "hm_masking", "hm_cyclefactor", "hm_nsigma", "tlimit"}),
    "hifa_exportdata": frozenset({"imaging_products_only"}),
}
"""By task; a task that is not here is not carried out at all.  Calibration tables are never exported
again, whatever ``imaging_products_only`` says: they are in the delivery."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "specmode": ("mfs", "cont", "cube", "repBW"),
    "datatype": ("best", "regcal", "selfcal"),
    "hm_masking": ("auto", "none"),
}
"""Parameters of which only these values are carried out."""

RANGES: Mapping[str, tuple[float, float]] = {
    "chanbin": (1, inf),
    "fitorder": (0, inf),
    "robust": (-2, 2),
    "hm_nsigma": (0, inf),
    "tlimit": (0, inf),
}
"""The least and the largest value that has a meaning, of those that have bounds."""

_NOT_ZERO = r"(?=[0.]*[1-9])"
PATTERNS: Mapping[str, tuple[str, str]] = {
    "timebin": (r"\d+(\.\d+)?(s|min|h)", "30s"),
    "spw": (r"\d+( *, *\d+)*", "0,1,3"),
    "nbins": (r"(\*|\d+):[1-9]\d*(,(\*|\d+):[1-9]\d*)*", "9:2,11:4 or *:2"),
    "hm_cell": (_NOT_ZERO + r"\d+(\.\d+)?(arcsec|ppb)", "0.1arcsec or 5ppb (pixels per beam)"),
    "hm_imsize": (
        _NOT_ZERO + r"([1-9]\d*|0?\.\d+pb)",
        "512 or 0.3pb (where the primary beam has that)",
    ),
    "uvtaper": (_NOT_ZERO + r"\d+(\.\d+)?arcsec", "1.5arcsec"),
}
"""Parameters that have their default or this form, with examples."""

HEURISTICS = (2024,)
"""The years whose imaging heuristics the *tasks* engine knows."""
NAMED_SINCE = 2016
"""From this year on product names carry specmode and Stokes; older forms are not written."""
