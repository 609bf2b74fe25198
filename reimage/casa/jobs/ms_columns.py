"""Which data columns MSs have, and whether CORRECTED_DATA says anything new about the targets.

Input: ``{"ms": [path, ...]}``.  Value, by path: ``columns``, ``differs``, ``corrected_amplitude``.
"""

import _job

import _input
import _metadata
import inspect_ms


def run(inputs, progress):
    """See the module."""
    found = {}
    for path in inputs["ms"]:
        found[path] = look(path)
        progress("ms.looked", ms=path)
    return found


def look(path):
    """One MS; the visibilities are read only where there are two columns to compare."""
    _input.check(path)
    seen = {
        "columns": list(_metadata.column_names(path)),
        "differs": False,
        "corrected_amplitude": None,
    }
    if {"DATA", "CORRECTED_DATA"} <= set(seen["columns"]):
        with _input.reading(path):
            facts = inspect_ms.inspect(path)
        seen["differs"] = facts["corrected_differs"]
        seen["corrected_amplitude"] = facts["corrected_amplitude"]
    return seen


if __name__ == "__main__":
    _job.main(run)
