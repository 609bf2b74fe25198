"""Documents of single eras, where they differ from those of `reimage.demo.documents`."""

from __future__ import annotations

from reimage.demo import documents
from reimage.demo.plan import DemoDataset


def ppr_uid(dataset: DemoDataset) -> str:
    """Return the processing request's own uid: next to the MOUS's, not the same."""
    mous = dataset.mous
    return f"uid___{mous.archive}_{mous.high}_X{int(mous.low[1:], 16) + 1:x}"


def restore_script(dataset: DemoDataset) -> str:
    """Return casa_piperestorescript.py of CASA up to 4.7: the task had another name."""
    return documents.restore_script(dataset).replace("hifa_restoredata", "hif_restoredata")


def with_empty_first_session(ppr: str) -> str:
    """Return a PPR whose SESSION_1 is empty and whose blocks are all in SESSION_2."""
    empty = "<Intents><Keyword>SESSION_1</Keyword><Value></Value></Intents>\n      "
    start = ppr.index("<Intents><Keyword>SESSION_2")
    return ppr[:start] + empty + ppr[start:]
