"""A README or a delivered script is in Latin-1 and does not say so.

Symptom: ``UnicodeDecodeError``, or ``SyntaxError: (unicode error) 'utf-8' codec can't decode byte``.
Cause: names and comments were typed in an 8-bit encoding; Python 3 takes a script for UTF-8.
Remedy: write the text in UTF-8, and let a script declare it.  Bytes that are no UTF-8 are taken for
Latin-1, in which every byte is a character: nothing but accents can come out wrong.
Source: archive pages on known issues (README encodings); Python language reference 2.1.4.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath

from reimage.fix import Facts, FilePatch, Fix, decode
from reimage.model import Delivery, Stage

_DECLARED = re.compile(rb"\A(?:[^\n]*\n)?[ \t\f]*#[^\n]*coding[:=]")
_DECLARATION = "# -*- coding: utf-8 -*-\n"


def _ill(delivery: Delivery) -> list[tuple[str, str]]:
    names = [*([delivery.readme] if delivery.readme else []), *delivery.scripts]
    found = []
    for name in names:
        path = Path(delivery.root) / name
        data = path.read_bytes() if path.is_file() else b""
        is_script = path.suffix == ".py"
        if not _is_utf8(data) and not (is_script and _DECLARED.match(data)):
            found.append((name, (_DECLARATION if is_script else "") + decode(data)))
    return found


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del facts
    names = [PurePath(name).name for name, _ in _ill(delivery)]
    return f"not UTF-8: {', '.join(names)}" if names else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[FilePatch, ...]:
    del facts
    return tuple(FilePatch(path=name, text=text) for name, text in _ill(delivery))


FIX = Fix(
    id="text-encoding",
    issue="https://docs.python.org/3/reference/lexical_analysis.html#encoding-declarations",
    title="write delivered texts in UTF-8",
    before=Stage.RESTORE,
    applies=_applies,
    apply=_apply,
)
