"""The file of a new error class, written out: TOML as a person would write it, to be gone over by one."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from pydantic import ValidationError

from reimage.errors import UsageError
from reimage.model import Stage
from reimage.triage import draft_pattern
from reimage.triage.catalogue import Actor, ErrorClass, Family
from reimage.triage.clues import Clue
from reimage.triage.signature import mask, unwrap

MOST_TITLE = 90
MOST_WORDS = 5
MOST_EXAMPLE = 600

FAMILY_OF_STAGE = {
    Stage.FETCH: Family.FETCH,
    Stage.CHOOSE: Family.DATA,
    Stage.RESTORE: Family.CALIBRATION,
    Stage.IMAGE: Family.IMAGING,
    Stage.DERIVE: Family.OUTPUT,
    Stage.ASSESS: Family.QUALITY,
}
ACTOR_OF_FAMILY = {
    Family.FETCH: Actor.ARCHIVE,
    Family.DATA: Actor.DELIVERY,
    Family.CALIBRATION: Actor.DELIVERY,
    Family.IMAGING: Actor.CASA,
    Family.ENVIRONMENT: Actor.SITE,
    Family.RESOURCES: Actor.SITE,
    Family.INFRASTRUCTURE: Actor.SITE,
}
_KIND = re.compile(r"^[\w.]+(?:Error|Exception)\b:?\s*")
_MASK = re.compile(r"<\w+>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class DraftImpossible(UsageError):
    """A new error class cannot be drafted from what was named."""

    code = "class-draft-impossible"
    hint = "Choose another line: `reimage failures new-class RUN --line 3`, or write the file by hand (ops/guide)."


def family_of(stage: Stage | None) -> Family:
    """Return the family that a failure of a stage most likely belongs to."""
    return Family.OPERATIONS if stage is None else FAMILY_OF_STAGE[stage]


def id_of(message: str) -> str:
    """Return an id made of a message's first words."""
    words = re.findall(r"[a-z]{2,}", _bare(message).lower())
    return "-".join(words[:MOST_WORDS]) or "unnamed"


def title_of(message: str) -> str:
    """Return a title made of a message."""
    words = _MASK.sub("…", _bare(message)).strip(" .:,;")
    title = (words[:1].upper() + words[1:])[:MOST_TITLE].strip(" .:,;")
    return title if len(title) >= 5 else f"Drafted: {title}"  # noqa: PLR2004 -- the shortest title


def _bare(message: str) -> str:
    return _KIND.sub("", mask(unwrap(message)))


def text_of(
    clue: Clue,
    *,
    family: Family,
    title: str,
    run: str,
    attempt: int,
    stage: Stage | None,
    author: str,
) -> str:
    """Return the file's text.

    Raises
    ------
    DraftImpossible
        The line has no words of its own.
    """
    made = draft_pattern.pattern(clue.text)
    if made is None:
        raise DraftImpossible(f"the line has no words of its own: {clue.text!r}")
    where = f"run {run}, attempt {attempt}" + (f", stage {stage}" if stage else "")
    line = " ".join(clue.text.split())[:MOST_EXAMPLE].replace("{", "(").replace("}", ")")
    rows = [
        f"# Drafted by {_CONTROL.sub('', author)} from {where}.",
        "# Say what it means and what helps; then `active` lets its remedy be carried out.",
        f"title = {_string(title)}",
        f"family = {_string(family.value)}",
        f"fault = {_string(ACTOR_OF_FAMILY.get(family, Actor.US).value)}",
        f"meaning = {_string(f'Seen first in {where}: {line}.')}",
        f"advice = {_string(f'Nobody has written yet what helps: see `reimage show {run}`.')}",
        'remedy = "none"',
        'mode = "passive"',
        "",
        "[[match]]",
        f"message = {_string(made)}",
        "",
        "[evidence]",
        f"source = {_string(where)}",
        "examples = [",
        f"  {_example(clue)},",
        "]",
    ]
    return "\n".join(rows) + "\n"


def parsed(error_class: str, text: str) -> ErrorClass:
    """Return the class that a drafted text declares.

    Raises
    ------
    DraftImpossible
    """
    try:
        return ErrorClass.model_validate({"id": error_class, **tomllib.loads(text)})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DraftImpossible(f"the draft is no error class: {where}: {first['msg']}") from error


def _example(clue: Clue) -> str:
    """Return what the class is made from: a line of a log, else what is known in its place."""
    line = draft_pattern.as_line(clue)
    if line is not None:
        return _string(line)
    facts: dict[str, Any] = {"code": clue.code, "text": clue.text}
    told = ", ".join(f"{key} = {_string(value)}" for key, value in facts.items() if value)
    return f"{{ {told} }}"


def _string(text: str) -> str:
    """Return a TOML string, as it is where no escaping is needed."""
    if "'" not in text and "\\" in text and not _CONTROL.search(text):
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
