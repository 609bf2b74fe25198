"""Questions that are asked of the run database again and again, each by its name.

A question is a statement with a meaning, not a string: it runs on all three databases, and at a million runs
answers from sums or indexes within a tenth of a second (`ops/bench/desk.py` measures each).  What it is asked with
(`days=30`) has a value where none is given.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

from sqlalchemy.orm import Session

from reimage.errors import UsageError
from reimage.store import questions_desk, questions_failures, questions_runs, questions_time
from reimage.store.answer import Answer
from reimage.store.asking import DAY, Given, Question
from reimage.store.inbox_rows import EPOCH

GROUPS: Mapping[str, tuple[Question, ...]] = {
    "runs": questions_runs.QUESTIONS,
    "failures": questions_failures.QUESTIONS,
    "desk": questions_desk.QUESTIONS,
    "time": questions_time.QUESTIONS,
}
"""By what they are about."""
QUESTIONS: Mapping[str, Question] = {
    question.name: question for question in chain.from_iterable(GROUPS.values())
}
"""In the order in which they are listed."""
DIGITS = 2
"""After the point.  Rounded here: databases differ in what they can round."""
_LARGEST = 2**31 - 1


class QuestionUnknown(UsageError):
    """No question is saved under this name."""

    code = "question-unknown"
    hint = "`reimage failures query --list` lists the questions."


class QuestionParameter(UsageError):
    """A question is asked with what it does not take."""

    code = "question-parameter"
    hint = "`reimage failures query --list` tells what each question takes, as in --with days=30."


def find(name: str) -> Question:
    """Return a question.

    Raises
    ------
    QuestionUnknown
    """
    if name not in QUESTIONS:
        near = [one for one in QUESTIONS if name.lower() in one]
        told = f"; near to it: {', '.join(near)}" if near else ""
        raise QuestionUnknown(f"no question {name!r}{told}", evidence={"question": name})
    return QUESTIONS[name]


def given(question: Question, values: Mapping[str, str], now: datetime) -> Given:
    """Return what a question is asked with: the values that are given, the others as declared.

    Raises
    ------
    QuestionParameter
    """
    unknown = sorted(values.keys() - question.parameters.keys())
    if unknown:
        takes = ", ".join(question.parameters) or "nothing"
        raise QuestionParameter(f"{question.name} takes no {', '.join(unknown)}; it takes {takes}")
    typed = {
        name: _typed(name, values[name], default) if name in values else default
        for name, default in question.parameters.items()
    }
    return Given(values=typed, now=now)


def ask(session: Session, question: Question, what: Given, most: int) -> Answer:
    """Ask a question; at most so many rows."""
    begun = time.monotonic()
    statement = question.ask(what)
    columns = tuple(column.name for column in statement.selected_columns)
    rows = [tuple(row) for row in session.execute(statement.limit(most + 1))]
    days = {i for i, name in enumerate(columns) if name == DAY}
    return Answer(
        columns=columns,
        rows=tuple(tuple(_told(row, days)) for row in rows[:most]),
        cut=len(rows) > most,
        wall_s=time.monotonic() - begun,
    )


def _told(row: tuple[Any, ...], days: set[int]) -> Iterator[Any]:
    """Yield the values of a row: numbers of days as dates, no more digits than mean something."""
    for i, value in enumerate(row):
        if i in days:
            yield (EPOCH + timedelta(days=value)).date()
        elif isinstance(value, float | Decimal):  # PostgreSQL adds whole numbers to decimal ones
            yield int(value) if value == int(value) else round(float(value), DIGITS)
        else:
            yield value


def _typed(name: str, text: str, default: int | str) -> int | str:
    if isinstance(default, str):
        return text
    if not text.isdecimal() or int(text) > _LARGEST:
        raise QuestionParameter(
            f"{name} is a whole number: {text!r} is none", evidence={"parameter": name}
        )
    return int(text)
