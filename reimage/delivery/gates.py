"""Gate lines: where a delivered script refuses any CASA but the one it was written for.

A gate compares the running version (``casadef.casa_version`` up to 5.0, ``cu.version()`` of 5.1 to
5.8, ``casalith`` or ``casatasks`` of 6) and leaves where it is another.  The same comparison around
code that merely differs between versions is no gate, nor is anything in a comment.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import date
from pathlib import PurePath
from typing import NamedTuple

from reimage.delivery import releases, source
from reimage.delivery.source import Line
from reimage.model import Role, VersionStatement

GATE, DATE = 5, 9
MAX_SHOWN = 160
MAX_SCRIPT = 2 << 20
"""Characters of a script that are read: written by hand or generated, none is near it."""
MAX_NAMES = 20
"""Variables of a script that hold the running version."""

_RUNNING = re.compile(
    r"casadef|casalith|casatasks|casashell|\bcu\.(?:compare_)?version|casa_?version\b|version_string"
    r"|\bcasa\[|get_casa_version",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(r"(\w+)\s*=(?!=)\s*(.+)")
_LEAVES = re.compile(r"\b(?:sys\.exit|os\._exit|exit|quit|raise|abort)\b")
_COMPLAINS = re.compile(r"SAME VERSION|PLEASE USE", re.IGNORECASE)
_MESSAGE = re.compile(r"(?:GENERATING THE SCRIPT|CASA(?: VERSION)?)\s*:?\s*(.+)", re.IGNORECASE)
_NEGATED = re.compile(r"==\s*None|\bis\s+None|==\s*False|\bis\s+False|\bnot\b|<\s*1\b|!=\s*True")

_PATTERN = re.compile(r"re\.(?:search|match|compile|findall)\(\s*[rbuRBU]{0,2}(['\"])(.+?)\1")
_STARTS = re.compile(r"\.(?:startswith|find|count)\(\s*(\(?(?:\s*,?\s*['\"][\d.\-]+['\"])+)")
_COMPARED = re.compile(r"(==|!=|<>|<=|>=|<|>)\s*(?:['\"]([\d.\-]+)['\"]|(\d\.\d+)\b)")
_REVERSED = re.compile(r"['\"]([\d.\-]+)['\"]\s*(==|!=)")
_NUMBERS = re.compile(
    r"(==|!=|<>|<=|>=|<|>)\s*(?:np\.array\()?[\[(]\s*(\d+(?:\s*,\s*\d+)+)\s*,?\s*[\])]"
)
_METHOD = re.compile(
    r"compare_version\(\s*['\"](==|=|!=|<=|>=|<|>)['\"]\s*,\s*(?:[\[(]\s*)?['\"]?([\d.,\s\-]+)"
)
_MEMBER = re.compile(r"\b(not\s+)?in\s*[\[(]((?:\s*,?\s*['\"][\d.\-]+['\"])+)\s*,?\s*[\])]")
_CONTAINED = re.compile(r"['\"]([\d.\-]+)['\"]\s*(not\s+)?in\b")
_QUOTED = re.compile(r"['\"]([\d.\-]+)['\"]")
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

_ID = re.compile(r"\$Id:\s*(\S+?)(?:,v)?\s+[\d.]+\s+(\d{4})[/-](\d\d)[/-](\d\d)")


class _Test(NamedTuple):
    """A comparison of the running version: it is ``operator`` one of ``versions``."""

    operator: str
    versions: tuple[str, ...]


def find_in_script(name: str, text: str) -> Iterator[VersionStatement]:
    """Yield what a script says: its gates, and the date of the program that wrote it."""
    role = role_of(name)
    text = text[:MAX_SCRIPT]
    lines = source.logical_lines(text)
    said: set[str] = set()
    for number, version, shown in _gates(lines):
        if version not in said:
            said.add(version)
            yield VersionStatement(
                version=version,
                role=role,
                file=name,
                line=number,
                text=shown[:MAX_SHOWN],
                strength=GATE,
                doubt="any of these is allowed" if "," in version else "",
            )
    yield from _dates(name, text, role)


def role_of(script: str) -> Role:
    """Return what a script of this name does."""
    name = PurePath(script).name.casefold()
    if "imag" in name and "calimage" not in name:
        return Role.IMAGING
    is_calibration = re.search(r"calibrat|fluxcal|polcal|reduction", name)
    return Role.CALIBRATION if is_calibration else Role.UNKNOWN


def _gates(lines: list[Line]) -> Iterator[tuple[int, str, str]]:
    running = _running_names(lines)
    lists = _lists(lines)
    for index, line in enumerate(lines):
        code = _with_lists(line.code, lists)
        if not (_RUNNING.search(code) or any(re.search(rf"\b{n}\b", code) for n in running)):
            continue
        version = _demanded(lines, index, code)
        if version:
            yield line.number, version, line.code


def _demanded(lines: list[Line], index: int, code: str) -> str | None:
    """Return what a line demands of the running version, None where it is no gate."""
    found = [test for test in _tests(code) if test.versions]
    is_alone = re.match(r"re\.(?:search|match)\(", code)  # nothing else can be meant by it
    if is_alone or code.startswith("assert ") or (" or " in code and _LEAVES.search(code)):
        return _required([_Test("==", test.versions) for test in found] if is_alone else found)
    if not re.match(r"(?:if|elif)\b", code) and not _LEAVES.search(code):
        return None
    hanging = source.suite(lines, index)
    leaves = any(_LEAVES.search(line) for line in [*hanging, code])
    complains = any(_COMPLAINS.search(line) for line in hanging)
    refused = [_Test(_OPPOSITE[test.operator], test.versions) for test in found]
    if found and all(test.operator == "==" for test in refused):
        return _required(refused) if leaves or complains or not hanging else None
    if found and leaves and all(test.operator != "!=" for test in refused):
        return _required(refused)
    if not found and leaves and complains:
        return _of_message(hanging)
    return _of_branches(lines, index) if re.match(r"if\b", code) else None


def _of_branches(lines: list[Line], index: int) -> str | None:
    """Return the versions of an ``if`` with ``elif`` whose ``else`` leaves."""
    allowed: list[_Test] = []
    indent = lines[index].indent
    for at in range(index, len(lines)):
        line = lines[at]
        if line.indent > indent:
            continue
        if line.indent < indent or (at > index and not re.match(r"elif\b|else\b", line.code)):
            return None
        if re.match(r"else\b", line.code):
            leaves = any(_LEAVES.search(code) for code in source.suite(lines, at))
            return _required(allowed) if leaves else None
        allowed += _tests(line.code)
    return None


def _required(tests: list[_Test]) -> str | None:
    """Return tests that must hold as one version string: exact ones, else a bound."""
    exact = [version for test in tests if test.operator == "==" for version in test.versions]
    if exact:
        return ", ".join(dict.fromkeys(exact))
    bounds = [f"{t.operator}{t.versions[0]}" for t in tests if t.operator in {">=", "<=", ">", "<"}]
    return " ".join(bounds) or None


def _tests(code: str) -> list[_Test]:
    """Return the comparisons of a line, as they are when the line's condition is true."""
    negated = bool(_NEGATED.search(code))
    found = [
        _Test("!=" if negated else "==", expand(match[2])) for match in _PATTERN.finditer(code)
    ]
    found += [
        _Test("!=" if negated else "==", _plausible(_QUOTED.findall(match[1])))
        for match in _STARTS.finditer(code)
    ]
    for operator, quoted, number in _COMPARED.findall(code):
        found.append(_Test(operator.replace("<>", "!="), _plausible([quoted or number])))
    found += [
        _Test(operator, _plausible([version])) for version, operator in _REVERSED.findall(code)
    ]
    for operator, numbers in [*_NUMBERS.findall(code), *_METHOD.findall(code)]:
        version = ".".join(re.findall(r"\d+", numbers))
        found.append(_Test({"<>": "!=", "=": "=="}.get(operator, operator), _plausible([version])))
    for negation, versions in _MEMBER.findall(code):
        found.append(
            _Test("!=" if negation or negated else "==", _plausible(_QUOTED.findall(versions)))
        )
    for version, negation in _CONTAINED.findall(code):
        found.append(_Test("!=" if negation or negated else "==", _plausible([version])))
    return [test for test in dict.fromkeys(found) if test.versions]


def expand(pattern: str) -> tuple[str, ...]:
    r"""Return the versions that a regular expression of a gate means: ``^4\.(2|3)``, ``^4.[2-4]``."""
    done: list[str] = []
    waiting = [re.sub(r"\\([.\-])|\[\.\]", lambda m: m[1] or ".", pattern)]
    while waiting and len(done) + len(waiting) < 50:  # noqa: PLR2004 -- no gate lists so many
        one = waiting.pop(0)
        group = re.search(r"\((?:\?:)?([^()]*)\)|\[([\d\-]+)\]", one)
        if group is None:
            done += one.split("|")
            continue
        options = group[1].split("|") if group[1] is not None else _digits(group[2])
        waiting += [one[: group.start()] + option + one[group.end() :] for option in options]
    return _plausible([re.sub(r"^\^|\$$|\\b|\.\*$|[.\-]$", "", one) for one in done])


def _digits(inside: str) -> list[str]:
    found: list[str] = []
    for first, last in re.findall(r"(\d)(?:-(\d))?", inside):
        found += [str(digit) for digit in range(int(first), int(last or first) + 1)]
    return found


def _plausible(versions: list[str]) -> tuple[str, ...]:
    return tuple(v for v in versions if re.fullmatch(releases.VERSION, v))


def _of_message(hanging: list[str]) -> str | None:
    """Return the versions that a refusal names: ``... GENERATING THE SCRIPT: 4.2, 4.3, or 4.4``."""
    for code in hanging:
        match = _MESSAGE.search(code)
        versions = re.findall(releases.VERSION, match[1]) if match else []
        if versions:
            return ", ".join(dict.fromkeys(versions))
    return None


def _running_names(lines: list[Line]) -> set[str]:
    """Return names that were given the running version."""
    names: set[str] = set()
    for line in lines:
        match = _ASSIGNED.match(line.code) if len(names) < MAX_NAMES else None
        if match and (
            _RUNNING.search(match[2]) or any(re.search(rf"\b{n}\b", match[2]) for n in names)
        ):
            names.add(match[1])
    return names


def _lists(lines: list[Line]) -> dict[str, str]:
    """Return names that were given a list of versions."""
    assigned = (_ASSIGNED.match(line.code) for line in lines)
    pairs = ((match[1], match[2]) for match in assigned if match)
    found = (pair for pair in pairs if re.match(r"[\[(]\s*['\"][3-9]\.\d", pair[1]))
    return dict(itertools.islice(found, MAX_NAMES))


def _with_lists(code: str, lists: dict[str, str]) -> str:
    for name, value in lists.items():
        code = re.sub(rf"\bin\s+{name}\b", lambda _, v=value: f"in {v}", code)  # type: ignore[misc]
    return code


def _dates(name: str, text: str, role: Role) -> Iterator[VersionStatement]:
    """Yield what the dates of the programs that wrote a script tell: no older CASA was in use."""
    for match in itertools.islice(_ID.finditer(text), 5):
        try:
            written = date(*(int(part) for part in match.groups()[1:]))
        except ValueError:
            continue
        oldest = releases.in_operations_since(written)
        if oldest:
            yield VersionStatement(
                version=f">={oldest}",
                role=role,
                file=name,
                line=text.count("\n", 0, match.start()) + 1,
                text=f"{match[1]} of {written}: {oldest} was in operations",
                strength=DATE,
                doubt="a bound by date",
            )
