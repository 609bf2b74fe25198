"""The pages of the weblog: what was observed, what each step did, every image, every call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote

from reimage import __version__
from reimage.imaging import weblog_parts as parts
from reimage.imaging import weblog_steps as steps
from reimage.imaging.account import Account
from reimage.imaging.calls import ABOUT, call_text, own_names
from reimage.imaging.image_summary import ImageSummary
from reimage.model import PlannedImage, Product, ProductState

MOST_CALLS = 1500
"""Of more calls the page shows the first; ``casa_commands.log`` has all."""
MEANING: Mapping[str, str] = {
    "dirty-image": "not cleaned: no clean mask was found in it",
    "cleaned-in-pb-mask": "cleaned within the primary beam: no clean mask was found",
    "cube-not-cleaned": "not cleaned: its spectral window holds continuum only",
    "not-cleaned": "not cleaned: the recipe wants no masks",
    "iteration-limit-reached": "the clean ended at its limit of iterations",
    "all-channels-imaged": "no continuum was selected: all channels are in it",
    "continuum-not-found": "no channel free of lines was found",
    "spw-fully-flagged": "all data of this spectral window are flagged",
    "contfile-given": "the continuum ranges were given, not looked for",
    "continuum-not-sought": "the recipe does not look for continuum",
}
"""Caveats in words; others say enough by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the pages show."""

    told: Account
    files: Sequence[Product]
    """What goes with the images."""
    summaries: Mapping[str, ImageSummary]
    """Numbers of the images, by `PlannedImage.id`."""
    previews: Mapping[str, Sequence[str]]
    """Pictures of each image, relative to the pages."""


def pages(content: Content) -> dict[str, str]:
    """Return the text of each page by file name."""
    title = content.told.request.dataset
    bodies = {
        "index.html": _overview(content),
        "steps.html": _steps(content),
        "images.html": _images(content),
        "calls.html": _calls(content),
    }
    return {name: parts.page(name, title, body) for name, body in bodies.items()}


# --- overview -----------------------------------------------------------------------------------------


def _overview(content: Content) -> Iterator[str]:
    told = content.told
    request, plan = told.request, told.imaged.plan
    made = [image for image in plan if told.is_made(image)]
    began = told.calls[0].call.start if told.calls else None
    yield f"<h1>{escape(request.dataset)}</h1>"
    yield parts.facts(
        {
            "images": f"{len(made)} of {len(plan)} made",
            "targets": [str(target["name"]) for target in told.facts["targets"]],
            "array": told.facts.get("array"),
            "recipe": f"{told.recipe.id}: {told.recipe.title}",
            "changed by hand": list(told.recipe.overrides),
            "reimage": __version__,
            "CASA": f"{request.build.version} ({request.build.id})",
            "began": f"{datetime.fromtimestamp(began, UTC):%Y-%m-%d %H:%M:%S} UTC" if began else "",
            "in CASA tasks": f"{sum(one.call.seconds for one in told.calls):.0f} s",
            **{key: request.keywords.get(key) for key in ("PROPCODE", "RUNID")},
        }
    )
    yield _warnings(told)
    yield "<h2>Steps</h2>"
    yield steps.overview(told)
    yield "<h2>Observation</h2>"
    yield from _observation(told)
    yield "<h2>Files with the images</h2>"
    yield parts.table(
        ("file", "kind", "", ""),
        (
            (
                escape(file.name),
                escape(file.kind),
                _state(file.state),
                escape(file.reason or ""),
            )
            for file in content.files
        ),
    )


def _warnings(told: Account) -> str:
    """Return caveats and absent images: what a user of the images has to know."""
    absent: dict[str, list[str]] = {}
    for product in told.imaged.products:
        if product.state is ProductState.ABSENT and product.image:
            of_reason = absent.setdefault(f"not made: {product.reason}", [])
            of_reason += [product.image] if product.image not in of_reason else []
    said: dict[str, list[str]] = {}
    for caveat in dict.fromkeys(told.imaged.caveats):
        word, _, about = caveat.partition(":")
        said.setdefault(MEANING.get(word, word), []).append(about)
    lines = [
        f"{meaning} ({', '.join(about)})" if any(about) else meaning
        for meaning, about in (*absent.items(), *said.items())
    ]
    return f"<h2>Warnings</h2>\n{parts.bullets(lines)}" if lines else ""


def _in_words(caveat: str) -> str:
    word, _, about = caveat.partition(":")
    meaning = MEANING.get(word, word)
    return f"{about}: {meaning}" if about else meaning


def _observation(told: Account) -> Iterator[str]:
    columns = {ms.eb: ms.column for ms in told.request.ms}
    yield parts.table(
        ("execution block", "measurement set", "column", "array", "baseline of 75 %"),
        (
            (
                escape(str(eb["eb"])),
                escape(told.input_names.get(_path_of(told, eb["eb"]), "")),
                columns.get(eb["eb"], ""),
                escape(str(eb.get("array", ""))),
                f"{eb['baseline_75_m']:.1f} m" if "baseline_75_m" in eb else "",
            )
            for eb in told.facts.get("ebs", ())
        ),
    )
    yield parts.table(
        ("spw", "name", "from GHz", "to GHz", "channels", "channel kHz"),
        (
            (
                str(spw["id"]),
                escape(str(spw.get("name", ""))),
                f"{spw['low_hz'] / 1e9:.5f}",
                f"{spw['high_hz'] / 1e9:.5f}",
                str(spw.get("nchan", "")),
                f"{spw['channel_hz'] / 1e3:.6g}" if "channel_hz" in spw else "",
            )
            for spw in told.facts["spws"]
        ),
        right=(2, 3, 4, 5),
    )


def _path_of(told: Account, eb: str) -> str:
    return next((str(ms.path) for ms in told.request.ms if ms.eb == eb), "")


def _state(state: ProductState) -> str:
    return f'<span class="{state.value}">{state.value}</span>'


# --- the other pages ----------------------------------------------------------------------------------


def _steps(content: Content) -> Iterator[str]:
    told = content.told
    yield "<h1>Steps of the recipe</h1>"
    for number, step in enumerate(told.recipe.steps, 1):
        yield f'<h2 id="{escape(step.id)}">{number}. {escape(step.task)}</h2>'
        yield f'<p class="dim">{escape(ABOUT.get(step.task, ""))}</p>'
        yield parts.facts(step.parameters)
        yield steps.result(told, step, content.summaries)


def _images(content: Content) -> Iterator[str]:
    plan = content.told.imaged.plan
    yield "<h1>Images</h1>"
    for target in dict.fromkeys(image.target for image in plan):
        yield f"<h2>{escape(target)}</h2>"
        cards = (_card(content, image) for image in plan if image.target == target)
        yield f'<div class="cards">\n{chr(10).join(cards)}\n</div>'


def _card(content: Content, image: PlannedImage) -> str:
    told, numbers = content.told, content.told.numbers.get(image.id, {})
    made = content.summaries.get(image.id)
    files = told.files_of(image)
    kinds = [file.kind for file in files if file.path]
    why = next((file.reason for file in files if file.reason), None)
    pictures = "".join(
        f'<a href="{quote(path)}"><img src="{quote(path)}" alt="{escape(image.id)}" loading="lazy"></a>'
        for path in content.previews.get(image.id, ())
    )
    told_of = parts.facts(
        {
            "not made" if not told.is_made(image) else "changed": why,
            "largest pixel, rms": _pair(made),
            "beam": parts.beam(made.beam_major_arcsec, made.beam_minor_arcsec) if made else "",
            "expected noise": _unit(numbers.get("sensitivity")),
            "threshold": _unit(numbers.get("threshold")),
            "iterations": numbers.get("iterations"),
            "peak of the dirty image": _unit(numbers.get("dirty_peak")),
            "caveats": [_in_words(one) for one in _caveats(told, image)],
            "files": f"{image.basename}. {', '.join(kinds)}" if kinds else "",
        }
    )
    given = numbers.get("parameters", {})
    parameters = {key: own_names(value, told.input_names) for key, value in given.items()}
    more = parts.folded("parameters of tclean", parts.facts(parameters))
    wide = ' class="wide"' if image.specmode in {"cube", "repBW"} and pictures else ""
    heading = f"<h3>{escape(image.id)}</h3>"
    return f'<article id="{escape(image.id)}"{wide}>{heading}{pictures}{told_of}{more}</article>'


def _caveats(told: Account, image: PlannedImage) -> list[str]:
    ending = f":{image.id}"
    return [one.removesuffix(ending) for one in told.imaged.caveats if one.endswith(ending)]


def _pair(made: ImageSummary | None) -> str:
    if made is None or made.peak_jy_beam is None:
        return ""
    return f"{parts.milli(made.peak_jy_beam)}, {parts.milli(made.rms_jy_beam)} mJy/beam"


def _unit(value: object) -> str:
    said = parts.milli(value)
    return f"{said} mJy/beam" if said else ""


def _calls(content: Content) -> Iterator[str]:
    told = content.told
    shown = told.calls[:MOST_CALLS]
    yield f"<h1>{len(told.calls)} calls of CASA tasks</h1>"
    if len(shown) < len(told.calls):
        yield f"<p>The first {len(shown)}; casa_commands.log has all.</p>"
    yield parts.table(
        ("began UTC", "s", "step", "call"),
        (
            (
                f"{datetime.fromtimestamp(one.call.start, UTC):%H:%M:%S}",
                f"{one.call.seconds:.1f}",
                escape(one.step),
                parts.folded(
                    f"{one.call.task} {one.image or one.call.works_on}",
                    f"<pre>{escape(call_text(one.call, told.input_names))}</pre>",
                )
                + (f'<p class="absent">{escape(one.call.error)}</p>' if one.call.error else ""),
            )
            for one in shown
        ),
        right=(1,),
    )
