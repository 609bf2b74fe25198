"""ALMA uids: ``uid://A001/X1/X2`` in databases, ``uid___A001_X1_X2`` in file names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reimage.errors import UidMalformed

_FORM = re.compile(r"uid(?:://|___)(A\d{3})[/_](X[0-9a-f]+)[/_](X[0-9a-f]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Uid:
    """One ALMA entity: a member OUS, an execution block, ...

    The prefix (A001, A002) does not tell which kind it is: early member OUSs are A002.
    """

    archive: str
    high: str
    low: str

    @classmethod
    def parse(cls, text: str) -> Uid:
        """Read either spelling; the whole string must be the uid.

        Raises
        ------
        UidMalformed
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise UidMalformed(f"not an ALMA uid: {text!r}", evidence={"text": text})
        archive, high, low = match.groups()
        return cls(archive.upper(), _hexadecimal(high), _hexadecimal(low))

    @classmethod
    def find(cls, text: str) -> Uid | None:
        """Return the first uid embedded in a longer text, such as a file name."""
        match = _FORM.search(text)
        return cls.parse(match.group(0)) if match else None

    @property
    def name(self) -> str:
        """The spelling of file names."""
        return f"uid___{self.archive}_{self.high}_{self.low}"

    def __str__(self) -> str:
        return f"uid://{self.archive}/{self.high}/{self.low}"


def _hexadecimal(part: str) -> str:
    return "X" + part[1:].lower()


def path_name(key: str) -> str:
    """Return a dataset's key as a directory name; distinct keys give distinct names.

    ALMA uids take their file spelling; any other key keeps letters, digits and ``._-`` and has the
    rest written as ``%XX``, so that no name from an archive ever becomes a path unescaped.
    """
    if _FORM.fullmatch(key):
        return Uid.parse(key).name
    escaped = re.sub(r"[^A-Za-z0-9_-]", lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), key)
    return escaped or "%"
