"""The steps that recipes may name: tasks of the ALMA pipeline and their parameters.

A parameter is listed with a value of its type.  ``CARRIED`` are those that the *tasks* engine carries
out; another one may be written in a recipe only with the value listed here, its default, because a
parameter that is silently ignored is a lie.
"""

from __future__ import annotations

from collections.abc import Mapping

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
    "hifa_importdata": {"dbservice": False, "datacolumns": ""},
    "hif_mstransform": {"intent": "TARGET", "chanbin": 1, "timebin": "0s"},
    "hifa_flagtargets": {"template": True, "filetemplate": ""},
    "hif_makeimlist": {
        "specmode": "mfs",
        "intent": "TARGET",
        "field": "",
        "spw": "",
        "contfile": "cont.dat",
        "robust": 0.5,
        "nbins": "",
        "uvtaper": "",
        "hm_cell": "",
        "hm_imsize": "",
    },
    "hif_findcont": {"hm_perchanweightdensity": True, "hm_weighting": "briggsbwtaper"},
    "hif_uvcontfit": {"fitorder": 1, "contfile": "cont.dat", "solint": "int"},
    "hif_uvcontsub": {"fitorder": 1, "applymode": "calflag"},
    "hif_makeimages": {
        **_MASKING,
        "hm_masking": "auto",
        "hm_cleaning": "rms",
        "hm_cyclefactor": -999.0,
        "hm_nsigma": 0.0,
        "tlimit": 2.0,
        "masklimit": 4,
        "maxncleans": 10,
        "cleancontranges": False,
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
    "hif_makeimlist": frozenset({"specmode", "field", "spw", "contfile", "robust"}),
    "hif_findcont": frozenset(),
    "hif_uvcontfit": frozenset({"fitorder"}),
    "hif_uvcontsub": frozenset({"fitorder"}),
    "hif_makeimages": frozenset({*_MASKING, "hm_masking", "hm_cyclefactor", "hm_nsigma", "tlimit"}),
    "hifa_exportdata": frozenset(),
}

CHOICES: Mapping[str, tuple[str, ...]] = {
    "specmode": ("mfs", "cont", "cube"),
    "hm_masking": ("auto", "none"),
}
"""Parameters of which only these values are carried out."""
