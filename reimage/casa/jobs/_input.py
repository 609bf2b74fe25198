"""Whether an MS can be imaged at all: it is one, is whole, and has rows.  Each ill has an exception of its own.

CASA finds most of these late, and says of all of them RuntimeError.
"""

import contextlib
import os
import re

from casatools import table

SUBTABLES = (
    "ANTENNA",
    "DATA_DESCRIPTION",
    "FIELD",
    "OBSERVATION",
    "POLARIZATION",
    "SOURCE",
    "SPECTRAL_WINDOW",
    "STATE",
)
"""Subtables without which nothing can be imaged; SOURCE has the rest frequencies."""
NEEDED = ("UVW", "TIME", "FIELD_ID", "DATA_DESC_ID", "FLAG", "STATE_ID")
_DAMAGE = re.compile(
    r"BucketCache::getBucket|incorrect number of bytes|could not be opened|is not writable"
    r"|Table (?:file )?\S+ does not exist|TableProxy|AipsIO|DataManager|StMan|seek to|read \d+ bytes"
)
"""What CASA says of files that are missing, cut off or overwritten."""


class NotAMeasurementSet(RuntimeError):
    """There is nothing at that path, or something else."""


class SubtableMissing(RuntimeError):
    """A subtable that imaging needs is not there."""


class NoRows(RuntimeError):
    """The MS has no rows, or none of the target."""


class DamagedMs(RuntimeError):
    """Files of the MS are cut off, missing or overwritten."""


def check(path):
    """Look at an MS's tables without reading its data.

    Raises
    ------
    NotAMeasurementSet, DamagedMs, SubtableMissing, NoRows
    """
    name = os.path.basename(path.rstrip("/"))
    if not os.path.isfile(os.path.join(path, "table.dat")):
        what = "has no table.dat" if os.path.isdir(path) else "is not there"
        raise NotAMeasurementSet("%s %s" % (name, what))
    with reading(path):
        columns, keywords, rows = look(path)
    missing = [column for column in NEEDED if column not in columns]
    if missing:
        raise NotAMeasurementSet("%s is a table without %s" % (name, ", ".join(missing)))
    missing = [
        sub
        for sub in SUBTABLES
        if sub not in keywords or not os.path.isfile(os.path.join(path, sub, "table.dat"))
    ]
    if missing:
        raise SubtableMissing("%s has no subtable %s" % (name, ", ".join(missing)))
    if not rows:
        raise NoRows("%s has no rows" % name)
    with reading(path):
        for sub in SUBTABLES:
            if not look(os.path.join(path, sub))[2] and sub not in ("SOURCE", "STATE"):
                raise SubtableMissing("subtable %s of %s is empty" % (sub, name))


def look(path):
    """Columns, keywords and number of rows of a table."""
    tool = table()
    tool.open(path)
    try:
        return list(tool.colnames()), list(tool.getkeywords()), tool.nrows()
    finally:
        tool.close()


@contextlib.contextmanager
def reading(path):
    """While an MS is read: what CASA says of broken files becomes `DamagedMs`."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, (NotAMeasurementSet, SubtableMissing, NoRows, DamagedMs)):
            raise
        text = " ".join(str(error).split())
        if _DAMAGE.search(text):
            raise DamagedMs(
                "%s cannot be read: %s" % (os.path.basename(path.rstrip("/")), text[:300])
            ) from error
        raise
