"""What each step of the recipe gave, for the weblog."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from reimage.imaging import weblog_parts as parts
from reimage.imaging.account import Account
from reimage.imaging.calls import carried_out, step_call
from reimage.imaging.image_summary import ImageSummary
from reimage.model import PlannedImage
from reimage.recipes import Step
from reimage.recipes.effective import specmode_of

MOST_SPECTRA = 200
_FOUND: Mapping[str, tuple[str, ...]] = {
    "hifa_imageprecheck": ("precheck",),
    "hif_checkproductsize": ("mitigation",),
}
"""Steps whose result stands in the facts as it is."""


def overview(told: Account) -> str:
    """Return a line for each step: the call, the tasks of CASA within, the time they took."""
    rows = []
    steps = carried_out(told.recipe)
    for number, step in enumerate(told.recipe.steps, 1):
        own = [one.call for one in told.calls if one.step == step.id]
        seconds = f"{sum(call.seconds for call in own):.1f}" if own else ""
        link = f'<a href="steps.html#{quote(step.id)}">{escape(step_call(step))}</a>'
        name = f'<span class="dim">{escape(step.id)}</span>'
        how_many = str(len(own) or "") if step in steps else "left out"
        rows.append((str(number), link, name, how_many, seconds))
    return parts.table(("", "step", "", "calls", "s"), rows, right=(0, 3, 4))


def result(told: Account, step: Step, summaries: Mapping[str, ImageSummary]) -> str:
    """Return what came of a step; empty where there is nothing to say."""
    if step not in carried_out(told.recipe):
        return "<p>Left out.</p>"
    if step.task == "hif_makeimages":
        return _made(told, step, summaries)
    if step.task == "hif_makeimlist":
        return _geometry(told, specmode_of(step))
    if step.task in _FOUND:
        found = {key: told.facts[key] for key in _FOUND[step.task] if told.facts.get(key)}
        return "\n".join(_any(value) for value in found.values())
    teller = _TELLERS.get(step.task)
    return teller(told) if teller else ""


def _any(value: Any) -> str:  # noqa: ANN401 -- whatever a job found
    if isinstance(value, dict):
        return parts.facts(value)
    if isinstance(value, list):
        return "\n".join(_any(one) for one in value)
    return f"<p>{escape(parts.value_text(value))}</p>"


def _split(told: Account) -> str:
    return parts.table(
        ("execution block", "targets", "spws", "scans"),
        (
            (
                escape(str(eb["eb"])),
                escape(", ".join(eb.get("fields", {}))),
                escape(", ".join(str(spw) for spw in eb.get("spws", {}))),
                escape(parts.value_text(eb.get("scans", ""))),
            )
            for eb in told.facts.get("ebs", ())
        ),
    )


def _geometry(told: Account, specmode: str) -> str:
    """Return cell, size and centre of each target; what one kind of image has of its own goes before."""
    rows = []
    for target in told.facts["targets"]:
        own = target.get("own", {}).get(specmode, {}).get("geometry", {})
        found = {**target.get("geometry", {}), **own}
        if not found:
            reason = "follows an ephemeris" if target.get("ephemeris") else "no data"
            rows.append((escape(str(target["name"])), reason, "", "", "", "", ""))
            continue
        beam = found["beam"]
        rows.append(
            (
                escape(str(target["name"])),
                str(target.get("pointings", "")),
                f"{beam['major']:g}″ x {beam['minor']:g}″",
                f"{found['cell_arcsec']:g}″",
                " x ".join(str(side) for side in found["imsize"]),
                escape(str(found["phasecenter"])),
                escape(str(found["gridder"])),
            )
        )
    head = ("target", "pointings", "beam", "cell", "pixels", "phase centre", "gridder")
    return parts.table(head, rows)


def _continuum(told: Account) -> str:
    return "\n".join(_spectra(told))


def _spectra(told: Account) -> Iterator[str]:
    axes = {target["name"]: target.get("axes", {}) for target in told.facts["targets"]}
    for entry in told.continuum[:MOST_SPECTRA]:
        axis = axes.get(entry["field"], {}).get(str(entry["spw"]))
        flags = ", ".join(entry["flags"])
        yield f"<h3>{escape(str(entry['field']))}, spw {entry['spw']} {escape(flags)}</h3>"
        if axis:
            yield parts.draw(
                parts.Spectrum(
                    first_hz=axis["start_hz"],
                    channel_hz=axis["width_hz"],
                    values=entry.get("spectrum", ()),
                    n_channels=axis["nchan"],
                    ranges_hz=entry["ranges_hz"],
                )
            )
        said = [f"{low / 1e9:.6f} to {high / 1e9:.6f} GHz" for low, high in entry["ranges_hz"]]
        why = str(entry.get("reason", "no continuum was found"))
        yield f"<p>{escape('; '.join(said) if said else why)}</p>"
    left = len(told.continuum) - MOST_SPECTRA
    if left > 0:
        yield f"<p>{left} more are in cont.dat.</p>"


def _subtracted(told: Account) -> str:
    found = [one.call for one in told.calls if one.call.task == "uvcontsub"]
    return parts.table(
        ("measurement set", "s", "fitted channels"),
        (
            (
                escape(call.works_on),
                f"{call.seconds:.1f}",
                "<br>".join(escape(line) for line in _fits(call.arguments.get("fitspec"))),
            )
            for call in found
        ),
        right=(1,),
    )


def _fits(given: object) -> Iterator[str]:
    """Yield a line for each fit: field, spw, channels, order."""
    for field, spws in given.items() if isinstance(given, dict) else ():
        if not isinstance(spws, dict):
            yield f"field {field}: {parts.value_text(spws)}"
            continue
        for spw, fit in spws.items():
            yield f"field {field}, spw {spw}: {fit['chan']}, order {fit['fitorder']}"


def _exported(told: Account) -> str:
    made = [product for product in told.imaged.products if product.path and product.image]
    size = sum(product.n_bytes or 0 for product in made)
    return f"<p>{len(made)} FITS files, {size / 1e6:.1f} MB.</p>"


_TELLERS: Mapping[str, Callable[[Account], str]] = {
    "hif_mstransform": _split,
    "hif_findcont": _continuum,
    "hif_uvcontsub": _subtracted,
    "hifa_exportdata": _exported,
}


def _made(told: Account, step: Step, summaries: Mapping[str, ImageSummary]) -> str:
    rows = [_row(told, image, summaries) for image in told.images_of(step)]
    head = (
        *("image", "", "largest mJy/beam", "rms mJy/beam", "expected", "threshold"),
        *("iterations", "beam", ""),
    )
    return parts.table(head, rows, right=(2, 3, 4, 5, 6))


def _row(
    told: Account, image: PlannedImage, summaries: Mapping[str, ImageSummary]
) -> tuple[str, ...]:
    numbers, made = told.numbers.get(image.id, {}), summaries.get(image.id)
    files = told.files_of(image)
    state = files[0].state.value if files else "absent"
    return (
        f'<a href="images.html#{quote(image.id)}">{escape(image.id)}</a>',
        f'<span class="{state}">{state}</span>',
        parts.milli(made.peak_jy_beam) if made else "",
        parts.milli(made.rms_jy_beam) if made else "",
        parts.milli(numbers.get("sensitivity")),
        parts.milli(numbers.get("threshold")),
        str(numbers.get("iterations", "")),
        parts.beam(made.beam_major_arcsec, made.beam_minor_arcsec) if made else "",
        escape(next((file.reason for file in files if file.reason), "") or ""),
    )
