"""What files declare, brought into the database: builds, error classes, known issues.

The files are the source; the rows are there so that questions about history can name them.
"""

from __future__ import annotations

from datetime import datetime

from reimage import fix
from reimage.casa import builds
from reimage.closing import Policy
from reimage.settings import Settings, shipped
from reimage.store import builds as mirrors
from reimage.store.builds import ClassRecord, IssueRecord
from reimage.store.session import Database


def bring_up_to_date(settings: Settings, database: Database, policy: Policy, at: datetime) -> None:
    """Mirror builds, error classes and issues.

    Raises
    ------
    DocumentUnreadable, FixUnreadable
    """
    classes = [
        ClassRecord(
            name=one.id,
            family=one.family.value,
            title=one.title,
            fault=one.fault.value,
            remedy=one.remedy.value,
        )
        for one in policy.classes
    ]
    known = fix.known((shipped("fixes"), *settings.fixes))
    issues = [IssueRecord(name=one.id, title=one.title, url=one.issue) for _, one in known]
    with database.write() as session:
        mirrors.mirror(session, builds.registered(settings.builds_dir), at)
        mirrors.mirror_classes(session, classes, at)
        mirrors.mirror_issues(session, issues)
