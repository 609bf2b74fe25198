"""What a pipeline task left: its result, its scores, its images, and what it said while it worked.

Attributes are asked for by name and may be absent: they differ between the pipeline's releases.
Python 2 and 3, as `_pipeline_steps`.
"""

import io
import re

import _shell

MOST_MESSAGES = 400
MOST_CHARACTERS = 600
_SAID = re.compile(r"\t(WARN|SEVERE|INFO1)\t([^\t]*)\t(.*)")
_EXCEPTION = re.compile(
    r"^(?!.*PipelineException)([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt)\b.*)"
)


class LogSlice(object):
    """The CASA log from now on."""

    def __init__(self, path):
        self._path = path
        with open(self._path, "ab") as stream:
            self._offset = stream.tell()

    def messages(self):
        """Warnings, errors and what the pipeline wants attention for, each once, in order."""
        levels, order = {}, []
        with io.open(self._path, encoding="utf-8", errors="replace") as stream:
            stream.seek(self._offset)
            for line in stream:
                said = _SAID.search(line)
                if said and (said.group(1) != "INFO1" or said.group(2).startswith("pipeline")):
                    text = said.group(3).strip()[:MOST_CHARACTERS]
                    if text not in levels:
                        levels[text] = "ATTENTION" if said.group(1) == "INFO1" else said.group(1)
                        order.append(text)
        return [{"level": levels[text], "text": text} for text in order[:MOST_MESSAGES]]


def root_of(told):
    """The first exception of a traceback: those after it are its consequences, or wrap it."""
    for line in told.splitlines():
        found = _EXCEPTION.match(line)
        if found:
            return found.group(1)[:MOST_CHARACTERS]
    lines = [line for line in told.splitlines() if line.strip()]
    return lines[-1][:MOST_CHARACTERS] if lines else "no word"


def read(result, record, context):
    """The parts of a step's record that its result and the context hold."""
    told = {
        "result": type(result).__name__ if result is not None else None,
        "stage": int(getattr(context, "task_counter", 0) or 0),
        "qa": scores(result),
        "images": images(result, record["task"], context),
    }
    mitigation = getattr(result, "size_mitigation_parameters", None)
    if mitigation:
        told["mitigation"] = dict(
            (_shell.text(key), _shell.text(value)) for key, value in mitigation.items() if value
        )
    tracebacks = [text for one in leaves(result) for text in texts(getattr(one, "tb", None))]
    if tracebacks and record["state"] == "done":  # releases before 2022 return what failed
        told.update(
            state="failed", reason=root_of("\n".join(tracebacks)), raised="FailedTaskResults"
        )
    return told


def leaves(result):
    """A result's parts: some tasks return one for each MS."""
    if result is None:
        return []
    if hasattr(result, "__iter__"):
        return [part for one in result for part in leaves(one)]
    return [result]


def texts(what):
    """A text or nested lists of texts, flat."""
    if what is None:
        return []
    if hasattr(what, "splitlines"):
        return [_shell.text(what)]
    return [text for one in what for text in texts(one)]


def scores(result):
    """QA scores that are numbers, with both their texts."""
    pool = getattr(getattr(result, "qa", None), "pool", [])
    return [
        {
            "score": float(one.score),
            "short": _shell.text(one.shortmsg),
            "long": _shell.text(one.longmsg),
        }
        for one in pool
        if isinstance(one.score, (int, float))
    ]


# --- images -----------------------------------------------------------------------------------------------


def images(result, task, context):
    """Images that a list asks for, or that were tried: science targets only."""
    if task in ("hif_makeimlist", "hif_makecleanlist") and result is not None:
        return [image(one) for one in getattr(context, "clean_list_pending", []) if wanted(one)]
    if task not in ("hif_makeimages", "hif_cleanlist"):
        return []
    made = list(getattr(result, "results", []))
    targets = list(getattr(result, "targets", []))
    pairs = zip(targets, made + [None] * len(targets))
    return [dict(image(one), **outcome(one, done)) for one, done in pairs if wanted(one)]


def wanted(target):
    """Whether an entry of a list is a science target's."""
    return "TARGET" in _shell.text(target.get("intent") or "")


def image(target):
    """An entry of the pipeline's list of images."""
    return {
        "name": _shell.text(target.get("imagename") or ""),
        "target": _shell.text(target.get("field") or "").strip('"'),
        "spw": _shell.text(target.get("spw") or ""),
        "specmode": _shell.text(target.get("specmode") or ""),
        "nterms": 2 if target.get("deconvolver") == "mtmfs" else 1,
        "datatype": _shell.text(target.get("datatype") or ""),
        "made": None,
        "error": None,
        "paths": [],
    }


def outcome(target, done):
    """What became of an image; the word of the list is not asked, it says success too often."""
    made = getattr(done, "image", None)
    error = getattr(done, "error", None)
    said = getattr(error, "longmsg", error)
    stem = re.sub(r"\.iter\d+\.image.*", "", _shell.text(made)) if made else None
    return {
        "nterms": 2 if getattr(done, "multiterm", None) else 1,
        "made": _shell.text(made) if made else None,
        "stem": stem,
        "error": _shell.text(said)[:MOST_CHARACTERS] if said else None,
    }


def set_weblog(wanted):
    """Switch the weblog on or off in a context that was resumed."""
    from pipeline.infrastructure import basetask

    basetask.DISABLE_WEBLOG = not wanted
