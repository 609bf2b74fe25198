"""What can go wrong between us and an archive: one code for each thing a reader can do about it."""

from __future__ import annotations

from reimage.errors import ArchiveError, Refusal, SettingsError, UsageError


class ArchiveNotSet(SettingsError):
    """No setting says where the archive is."""

    code = "archive-not-set"
    hint = (
        "Set `archive` in reimage.toml (or REIMAGE_ARCHIVE) to an archive directory or its address."
    )


class ArchiveForeign(UsageError):
    """A directory is not one of our archives."""

    code = "archive-foreign"
    hint = "An archive directory holds holdings.ecsv, files.ecsv and dataPortal/; `reimage demo build` makes one."


class ArchiveNotPublic(Refusal):
    """The archive does not hand the files to who asks (401, 403, or a listing that stays empty)."""

    code = "archive-not-public"
    hint = "Launch it again after its release date, or give REIMAGE_ARCHIVE_TOKEN of somebody who may have it."


class ArchiveNothingListed(ArchiveError):
    """The archive offers no file for a dataset."""

    code = "archive-nothing-listed"
    hint = "It may be proprietary, or not delivered: look it up in the archive's own interface."


class ArchiveUnknownDataset(ArchiveError):
    """The archive does not know the dataset (DataLink's NotFoundFault)."""

    code = "archive-unknown-dataset"
    hint = "Check the uid; `reimage holdings sync` tells which datasets there are now."


class ArchiveListingIncomplete(ArchiveError):
    """The archive lists a dataset without what a restore cannot do without."""

    code = "archive-listing-incomplete"
    hint = "Nothing was downloaded. Look the dataset up in the archive's own interface, and tell the archive."


class ArchiveUnavailable(ArchiveError):
    """The archive did not answer, or answered with errors of its own, for longer than we wait."""

    code = "archive-unavailable"
    hint = (
        "Try again later; the setting `archive_patience_s` says how long an archive is waited for."
    )


class ArchiveStalled(ArchiveError):
    """A transfer began and brought no more bytes, again and again."""

    code = "archive-stalled"
    hint = "Try again later: what is there is kept, and the transfer goes on from it."


class ArchiveAnswerMalformed(ArchiveError):
    """The archive's answer is not what its protocol says."""

    code = "archive-answer-malformed"
    hint = "The address may be another service's, or the archive changed its interface."


class ArchiveQueryRefused(ArchiveError):
    """The archive's query service refused a query."""

    code = "archive-query-refused"
    hint = "Its own words are in the message; ask for less, or ask the archive."


class ArchiveRedirects(ArchiveError):
    """The archive sends us in circles, or away from the hosts that we know."""

    code = "archive-redirects"
    hint = "Nothing was sent there. If the archive has moved, change the setting `archive`."


class ArchiveNameHostile(ArchiveError):
    """The archive names a file by a path: names from an archive never become paths."""

    code = "archive-name-hostile"
    hint = "Nothing was fetched; tell the archive."


class ArchiveFileMissing(ArchiveError):
    """The archive lists a file that it does not have."""

    code = "archive-file-missing"
    hint = "Ask the archive; nothing can be restored without it."


class ArchiveFileSize(ArchiveError):
    """A file is longer or shorter than the archive says."""

    code = "archive-file-size"
    hint = "Fetch it again; if it stays so, the archive's copy is damaged: tell the archive."


class ArchiveFileGrown(ArchiveError):
    """A transfer brought more bytes than the file has: it was stopped there."""

    code = "archive-file-grown"
    hint = "Fetch it again; if it stays so, the archive sends something else under this name."


class ArchiveHtmlPage(ArchiveError):
    """The archive sent a web page in place of a file."""

    code = "archive-html-page"
    hint = "Nothing of it was kept. Try again later; its text is in the evidence."
