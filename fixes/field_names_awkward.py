"""Target names hold characters that CASA's selections and file names do not take.

Symptom: a selection by name finds nothing, or too much; files cannot be made, or two share a name.
Cause: names are the PI's free text.  The observing tool now allows letters, digits and ``- + _ . ;``;
older data hold blanks, parentheses, slashes and more.
Remedy: this software selects by field id and writes distinct file names.  Here the name is reported in
a form that is plain and can be turned back (percent encoding, as in URLs), so that nobody has
to guess which target a file or a caveat is about.
Source: ALMA observing tool, help of Cycle 5; archive pages on known issues.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from reimage.fix import Facts, Report, reporting, target_names
from reimage.model import Delivery

_ALLOWED = re.compile(r"[A-Za-z0-9+_.;-]+")


def _find(delivery: Delivery, facts: Facts) -> Iterator[Report]:
    del delivery
    for name in target_names(facts):
        if not _ALLOWED.fullmatch(name):
            yield Report(
                caveat="field-name-awkward",
                subject=quote(name, safe="+;"),
                text=f"target {name!r} is written {quote(name, safe='+;')!r}",
            )


FIX = reporting(
    name="field-names-awkward",
    issue="ALMA observing tool: names of sources",
    title="report target names that are written otherwise",
    find=_find,
)
