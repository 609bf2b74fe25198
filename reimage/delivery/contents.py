"""What lies in a member's directories, sorted by what it is: by name, in either case of letters.

Names of all eras: archive pages 2.3 (files by era).  A part is a directory ``script``, ``raw``, ...;
what lies loose beside the parts, or in a directory without any, is told by its name alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from reimage.delivery import raw
from reimage.delivery.scan import Folder, join

PARTS = ("calibrated", "calibration", "script", "raw", "product", "qa", "log")
LOOSE = ""

_TGZ = r"\.(tgz|tar\.gz)$"
_QA = rf"(qa[02]_report\.(html|pdf)|__textfile\.txt|__qa2_part\d+\.png|weblog{_TGZ})"
_RULES: Mapping[str, Mapping[str, str]] = {
    # a kind of file, and the names that it has in a part; all are matched in lower case
    "scripts": {
        "script": r"\.py$",
        LOOSE: r"(scriptfor\w+|casa_pipe(restore)?script)\.py$",
    },
    "caltables": dict.fromkeys(("calibration", LOOSE), rf"(?<!aux)caltables{_TGZ}"),
    "flagversions": dict.fromkeys(("calibration", LOOSE), rf"\.flagversions{_TGZ}"),
    "calapply": dict.fromkeys(("calibration", LOOSE), r"(?<!aux)calapply\.txt$"),
    "manifests": dict.fromkeys(("script", "calibration", LOOSE), r"pipeline_manifest\.xml$"),
    "pprs": dict.fromkeys(("script", "calibration", LOOSE), r"(^ppr_.*|pprequest)\.xml$"),
    "weblogs": dict.fromkeys(("qa", "log", LOOSE), rf"weblog{_TGZ}"),
    "products": dict.fromkeys(("product", LOOSE), r"\.fits(\.gz)?$"),
    "qa": {"qa": "", LOOSE: _QA},
    "logs": {
        "log": "",
        "script": r"casa_commands\.log$",
        LOOSE: r"^(casa(py)?-.*|.*casa_commands)\.log$",
    },
    "other": {
        "calibration": (
            r"(auxproducts\.tgz|auxcaltables\.tgz|auxcalapply\.txt|\.csv|\.json|\.eph|\.wvrgcal"
            r"|cont\.dat|template\.txt|\.xml|\.calibration(\.plots)?(\.tgz)?)$"
        ),
        "script": r"(product_rename\.txt|pldriver_report\.xml|jyperk.*\.csv)$",
        LOOSE: r"(cont\.dat|auxproducts\.tgz|antennapos\.(csv|json)|flux\.csv|jyperk.*\.csv)$",
    },
    "readmes": {LOOSE: r"readme([^.]*|.*\.txt)$"},
    "tars": {LOOSE: r"\.tar$"},
}
_COMPILED = {
    kind: {part: re.compile(pattern) for part, pattern in rules.items()}
    for kind, rules in _RULES.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a member holds, as paths relative to the delivery's root."""

    scripts: tuple[str, ...] = ()
    caltables: tuple[str, ...] = ()
    flagversions: tuple[str, ...] = ()
    calapply: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    pprs: tuple[str, ...] = ()
    weblogs: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    qa: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    readmes: tuple[str, ...] = ()
    tars: tuple[str, ...] = ()
    """Tars of the archive that nobody has unpacked."""
    raw: tuple[str, ...] = ()
    calibrated: tuple[str, ...] = ()

    @property
    def is_delivery(self) -> bool:
        """Whether there is anything that only a delivery has."""
        return any(getattr(self, one.name) for one in fields(self) if one.name != "tars")

    @property
    def is_readme_only(self) -> bool:
        """Whether there is nothing but a README, which is no sign of a delivery by itself."""
        told = (one.name for one in fields(self) if one.name not in {"tars", "readmes"})
        return bool(self.readmes) and not any(getattr(self, name) for name in told)

    def scripts_named(self, ending: str) -> tuple[str, ...]:
        """Return the scripts whose name ends so, in either case."""
        return tuple(name for name in self.scripts if name.casefold().endswith(ending.casefold()))


def names(paths: Iterable[str]) -> list[str]:
    """Return the last parts of paths, in lower case."""
    return [path.rpartition("/")[2].casefold() for path in paths]


def parts_of(folder: Folder) -> tuple[str, ...]:
    """Return the directories of a member that a directory has, as they are spelt there."""
    return tuple(name for name in folder.folders if name.casefold() in PARTS)


def sort_contents(tree: Mapping[str, Folder], path: str) -> Contents:
    """Return what the member at a path holds, directly or in its parts."""
    found: dict[str, list[str]] = {one.name: [] for one in fields(Contents)}
    where = {LOOSE: [path]}
    for name in parts_of(tree[path]):
        if join(path, name) in tree:
            where.setdefault(name.casefold(), []).append(join(path, name))
    for part, places in where.items():
        rules = [(kind, by_part[part]) for kind, by_part in _COMPILED.items() if part in by_part]
        for place in places:
            for name in tree[place].files:
                lower = name.casefold()
                for kind, pattern in rules:
                    if pattern.search(lower):
                        found[kind].append(join(place, name))
            if part in {"raw", LOOSE}:
                found["raw"] += raw.within(tree, place)
            found["calibrated"] += _calibrated(tree, place, part)
    return Contents(**{kind: tuple(sorted(paths)) for kind, paths in found.items()})


def merged(several: Iterable[Contents]) -> Contents:
    """Return what several trees of one member hold together."""
    together: dict[str, list[str]] = {one.name: [] for one in fields(Contents)}
    for one in several:
        for kind in together:
            together[kind] += getattr(one, kind)
    return Contents(**{kind: tuple(sorted(paths)) for kind, paths in together.items()})


def _calibrated(tree: Mapping[str, Folder], place: str, part: str) -> list[str]:
    """Return CASA tables that are called ``*.ms*``."""
    if part != "calibrated":
        return []
    paths = [
        join(place, name)
        for name in tree[place].folders
        if ".ms" in name.casefold() and not name.casefold().endswith(".flagversions")
    ]
    return [path for path in paths if path in tree and tree[path].is_table]
