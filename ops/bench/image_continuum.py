"""Continuum ranges side by side, and against the simulated lines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_RANGE = re.compile(r"([\d.]+)~([\d.]+)GHz")


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """A cont.dat of one target."""

    text: Sequence[str]
    of: Mapping[str, Sequence[tuple[float, float]]]
    """GHz, LSRK, by spw."""
    pure: frozenset[str]
    """The spws that hold no line."""

    @classmethod
    def parsed(cls, text: str) -> Ranges:
        """Return the ranges of a cont.dat."""
        blocks = {block.split()[0]: block for block in text.split("SpectralWindow:")[1:]}
        return cls(
            text=text.splitlines(),
            of={
                spw: [(float(low), float(high)) for low, high in _RANGE.findall(block)]
                for spw, block in blocks.items()
            },
            pure=frozenset(spw for spw, block in blocks.items() if "ALLCONT" in block),
        )

    @classmethod
    def recorded(cls, numbers: Mapping[str, Any]) -> Ranges:
        """Return the ranges that a referee's file gives, as the file that the pipeline wrote."""
        lines = []
        for name, spws in numbers["cont_dat"].items():
            lines += [f"Field: {name}", ""]
            for spw, entry in spws.items():
                lines.append(f"SpectralWindow: {spw} {entry['name']}")
                lines += [f"Flags: {flag}" for flag in entry["flags"]]
                lines += [f"{low:.10f}~{high:.10f}GHz LSRK" for low, high in entry["ranges_GHz"]]
                lines.append("")
        return cls.parsed("\n".join(lines))

    def overlap(self, other: Ranges, spw: str) -> tuple[float, float]:
        """Return what is common to both, as a share of the smaller bandwidth and of both together."""
        mine, theirs = self.of.get(spw, ()), other.of[spw]
        common = sum(max(0.0, min(b, d) - max(a, c)) for a, b in mine for c, d in theirs)
        wide = [sum(high - low for low, high in one) for one in (mine, theirs)]
        if min(wide) == 0:
            return 0.0, 0.0
        return common / min(wide), common / (sum(wide) - common)

    def let_in(self, truth: Mapping[str, Any]) -> list[str]:
        """Return the simulated lines of which the ranges hold some, within a width (FWHM) of the centre."""
        return [
            line["name"]
            for line in truth["lines"]
            for low, high in self.of.get(str(line["spw"]), ())
            if high > line["centre_LSRK_GHz"] - line["fwhm_MHz"] / 1e3
            and low < line["centre_LSRK_GHz"] + line["fwhm_MHz"] / 1e3
        ]
