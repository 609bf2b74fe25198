"""What became of the ALMA pipeline's images: rows of products, with the reason of each that is absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reimage.imaging.pipeline_findings import Finding
from reimage.imaging.pipeline_plan import MASK, Expected
from reimage.imaging.pipeline_steps import ExportedFile, PipelineStep
from reimage.model import Product, ProductState


def products(
    expected: Sequence[Expected],
    steps: Sequence[PipelineStep],
    findings: Sequence[Finding],
    files: Mapping[str, ExportedFile],
    where: str,
) -> tuple[Product, ...]:
    """Return a row for each file of each image: made and sound, or absent with its reason.

    Parameters
    ----------
    where
        Directory of the files, relative to the run's.
    """
    return tuple(
        product for one in expected for product in _rows(one, steps, findings, files, where)
    )


def _rows(
    one: Expected,
    steps: Sequence[PipelineStep],
    findings: Sequence[Finding],
    files: Mapping[str, ExportedFile],
    where: str,
) -> Iterator[Product]:
    """Yield the rows of an image; without its brightness the rest of it is of no use."""
    names = dict(one.image.files)
    mask = f"{one.image.basename}.{MASK}.fits"
    if mask in files:
        names[MASK] = mask
    why = {kind: _missing(name, one, steps, findings, files) for kind, name in names.items()}
    whole = next((why[kind] for kind in names if kind.endswith("pbcor") and why[kind]), None)
    made = ProductState.MITIGATED if one.image.mitigation else ProductState.MADE
    for kind, name in names.items():
        reason = whole or why[kind]
        if kind == MASK and reason:
            continue
        yield Product(
            name=name,
            kind=kind,
            image=one.image.id,
            target=one.image.target,
            spws=",".join(str(spw) for spw in one.image.spws),
            specmode=one.image.specmode,
            state=ProductState.ABSENT if reason else made,
            planned=kind != MASK,
            reason=reason or one.image.mitigation,
            path=None if reason else f"{where}/{name}",
            n_bytes=None if reason else files[name].bytes,
        )


def _missing(
    name: str,
    one: Expected,
    steps: Sequence[PipelineStep],
    findings: Sequence[Finding],
    files: Mapping[str, ExportedFile],
) -> str | None:
    """Say why a file is not there, or of no use; None where it is sound."""
    return files[name].wrong if name in files else why_absent(one, steps, findings)


def why_absent(one: Expected, steps: Sequence[PipelineStep], findings: Sequence[Finding]) -> str:
    """Say in one line why an image is not there: a cause, or else what followed from it.

    A step that raised comes first, then causes of all steps up to the one that makes the image, in their
    order, then what the pipeline says of the image itself.
    """
    order = [step.step for step in steps]
    makes = next(
        (n for n, s in enumerate(steps) if n > order.index(one.step) and s.kind == "makeimages"),
        len(steps) - 1,
    )
    own = one.tried.error if one.tried is not None else None
    broken = [s for s in steps if s.is_broken and (s.kind != "makeimages" or s is steps[makes])]
    lost = [
        finding
        for finding in findings
        if finding.weight == "lost"
        and order.index(finding.step) <= makes
        and finding.concerns(one.image.target, one.image.spws)
    ]
    reasons = (
        *(str(finding) for finding in lost if finding.kind == "spw-flagged"),
        *(f"pipeline-failed: {s.task} ({s.step}): {s.reason}" for s in broken),
        *(str(finding) for finding in lost if not finding.symptom),
        *((f"clean-failed: {own}",) if own else ()),
        *(
            str(finding)
            for finding in lost
            if finding.symptom and finding.kind != "nothing-exported"
        ),
        *((f"mitigated-away: {one.dropped}",) if one.dropped else ()),
        *(("pipeline-silent: no list of the pipeline has it",) if one.listed is None else ()),
        *(
            ("not-exported: the pipeline made the image and exported no file",)
            if _is_made(one)
            else ()
        ),
        "pipeline-silent: the pipeline made no image and does not say why",
    )
    return str(reasons[0])[:500]


def _is_made(one: Expected) -> bool:
    return one.tried is not None and one.tried.made is not None
