"""Exit codes of the command line: one table, documented and tested."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reimage.model import Result

DONE, FAILED, USAGE, INTERNAL, REFUSED, UNCLASSIFIED, PARTIAL, INTERRUPTED = (
    0,
    1,
    2,
    3,
    4,
    5,
    10,
    130,
)

EXIT_CODES: Mapping[int, str] = MappingProxyType(
    {
        DONE: "done",
        FAILED: "an expected failure: of a run, an archive, CASA, a disk, the run database",
        USAGE: "the command line, a setting or a declaration cannot be used",
        INTERNAL: "a bug of reimage; the traceback is kept and the message says where",
        REFUSED: "refused: not applicable by rule, nobody's failure",
        UNCLASSIFIED: "unclassified: no error class knows what was brought (`reimage triage`)",
        PARTIAL: "partial: some of the planned images exist",
        INTERRUPTED: "interrupted (Ctrl-C)",
    }
)

OF_RESULT: Mapping[Result, int] = MappingProxyType(
    {
        Result.IMAGED: DONE,
        Result.PARTIAL: PARTIAL,
        Result.REFUSED: REFUSED,
        Result.FAILED: FAILED,
        Result.LOST: FAILED,
        Result.CANCELLED: FAILED,
    }
)
"""What ``reimage run`` leaves with, by what came of the run."""
