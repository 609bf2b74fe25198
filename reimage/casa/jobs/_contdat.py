"""``cont.dat``: the continuum ranges of each field and spw, in the format of the ALMA pipeline."""

import re

_RANGE = re.compile(r"^\s*([0-9.]+)~([0-9.]+)GHz\s+(\w+)\s*$")


def dump(entries):
    """Text of the file.

    ``entries``: dictionaries with ``field``, ``spw``, ``spw_name``, ``ranges_hz`` (LSRK edges), ``flags``.
    """
    lines = []
    for field in sorted({entry["field"] for entry in entries}):
        lines += ["Field: " + field, ""]
        for entry in sorted((e for e in entries if e["field"] == field), key=lambda e: e["spw"]):
            lines.append("SpectralWindow: %d %s" % (entry["spw"], entry["spw_name"]))
            if entry["flags"]:
                lines.append("Flags: " + " ".join(entry["flags"]))
            lines += [
                "%.10f~%.10fGHz LSRK" % (low / 1e9, high / 1e9) for low, high in entry["ranges_hz"]
            ]
            lines += ["NONE"] * (not entry["ranges_hz"]) + [""]
    return "\n".join(lines) + "\n"


def load(text):
    """Entries of a file, as `dump` takes them; `ValueError` names the line that has no meaning."""
    entries, field = [], None
    for number, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if word.startswith("Field:"):
            field = word[6:].strip()
        elif word.startswith("SpectralWindow:") and field is not None:
            parts = word[15:].split(None, 1)
            entries.append(
                {
                    "field": field,
                    "spw": int(parts[0]),
                    "ranges_hz": [],
                    "flags": [],
                    "spw_name": parts[1] if len(parts) > 1 else "",
                }
            )
        elif word.startswith("Flags:") and entries:
            entries[-1]["flags"] = word[6:].split()
        elif word == "ALLCONT" and entries:  # older files
            entries[-1]["flags"].append(word)
        elif _RANGE.match(word) and entries:
            low, high, frame = _RANGE.match(word).groups()
            if frame != "LSRK":
                raise ValueError("cont.dat, line %d: frame %s, not LSRK" % (number, frame))
            entries[-1]["ranges_hz"].append([float(low) * 1e9, float(high) * 1e9])
        elif word not in ("", "NONE"):
            raise ValueError("cont.dat, line %d is not understood: %r" % (number, line))
    return entries
