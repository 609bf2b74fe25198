"""What files declare, brought into the database: builds, error classes, known issues.

The files are the source; the rows are there so that questions about history can name them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from reimage import fix
from reimage.casa import builds
from reimage.closing import Policy
from reimage.settings import Settings, shipped
from reimage.store import builds as mirrors
from reimage.store.builds import ClassRecord, IssueRecord
from reimage.store.session import Database
from reimage.triage.catalogue import ErrorClass


def bring_up_to_date(settings: Settings, database: Database, policy: Policy, at: datetime) -> None:
    """Mirror builds, error classes and issues.

    Raises
    ------
    DocumentUnreadable, FixUnreadable
    """
    known = fix.known((shipped("fixes"), *settings.fixes))
    issues = [IssueRecord(name=one.id, title=one.title, url=one.issue) for _, one in known]
    with database.write() as session:
        mirrors.mirror(session, builds.registered(settings.builds_dir), at)
        mirrors.mirror_classes(session, _records(policy.classes), at)
        mirrors.mirror_issues(session, issues)


def error_classes(database: Database, classes: Iterable[ErrorClass], at: datetime) -> None:
    """Mirror error classes alone: whoever gives failures a class lets the inbox know what it says."""
    with database.write() as session:
        mirrors.mirror_classes(session, _records(classes), at)


def _records(classes: Iterable[ErrorClass]) -> list[ClassRecord]:
    return [
        ClassRecord(
            name=one.id,
            family=one.family.value,
            title=one.title,
            fault=one.fault.value,
            remedy=one.remedy.value,
        )
        for one in classes
    ]
