"""Lists of images, images, and their files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pipeline.context import ill, say
from pipeline.infrastructure.basetask import Results


def targets(context, specmode, lost, chosen):
    for name, spws in context.plan["targets"].items():
        there = [spw for spw in spws if (name, spw) not in lost and chosen in ("", str(spw))]
        groups = [there] if specmode == "cont" else [[spw] for spw in there]
        for group in groups:
            which = "_".join(map(str, group))
            field = name.replace(" ", "_")
            yield {
                "field": f'"{name}"' if " " in name else name,
                "intent": "TARGET",
                "spw": ",".join(map(str, group)),
                "specmode": specmode,
                "deconvolver": "mtmfs" if specmode == "cont" and len(group) > 2 else "hogbom",
                "nterms": 2,
                "datatype": "REGCAL_CONTLINE_SCIENCE",
                "imagename": f"{context.ous}.sSTAGENUMBER.{field}_sci.spw{which}.{specmode}.regcal",
            }


def make(context, target):
    """Make the images of an entry, or say that it went wrong and go on."""
    where = f"spw{target['spw'].replace(',', '_')}.{target['specmode']}"
    if where in ill("unclean"):
        text = (
            f"Cleaning failure for field {target['field']}, intent TARGET, specmode {target['specmode']},"
            f" spw {target['spw']}, iteration 0: it went wrong"
        )
        say("ERROR", text)
        return Results(image=None, error=Results(longmsg=text), multiterm=None)
    if not Path("cont.dat").exists():
        for spw in target["spw"].split(","):
            say(
                "WARNING",
                f"No continuum frequency selection for Target Field {target['field']} SPW {spw}",
            )
    if ill("vanished"):
        say("ERROR", "Exception while determining flags: No such file or directory: 'u_targets.ms'")
        say(
            "ERROR",
            f"Could not calculate the sensitivity for Field {target['field']} Intent TARGET SPW 0",
        )
        return Results(image=None, error=None, multiterm=None)
    stem = target["imagename"].replace("sSTAGENUMBER", f"s{context.task_counter}_0") + ".I"
    multi = target["deconvolver"] == "mtmfs"
    kinds = (
        ("tt0.pbcor", "tt1.pbcor", "alpha", "alpha.error", "pb.tt0") if multi else ("pbcor", "pb")
    )
    for kind in kinds:
        path = Path(f"{stem}.iter1.{kind}")
        path.mkdir()
        (path / "miscinfo.json").write_text(json.dumps({"TYPE": kind}))
        context.made[f"{target['imagename'].replace('sSTAGENUMBER.', '')}.I.{kind}.fits"] = str(
            path
        )
    return Results(image=f"{stem}.iter1.image.pbcor", error=None, multiterm=2 if multi else None)


def write_fits(path, words):
    """Write a small image, sound unless it is to be blank."""
    pixels = np.arange(16, dtype=">f4") * (0 if ill("blank") else 1)
    cards = ["SIMPLE  =                    T", "BITPIX  =                  -32"]
    cards += ["NAXIS   =                    2", "NAXIS1  =                    4"]
    cards += ["NAXIS2  =                    4", "BMAJ    =                 0.01"]
    cards += [f"{key:8}= '{value}'" for key, value in words.items()] + ["END"]
    head = "".join(f"{card:80}" for card in cards)
    data = pixels.tobytes()
    with Path(path).open("wb") as stream:
        stream.write(head.ljust(-(-len(head) // 2880) * 2880).encode())
        stream.write(data.ljust(2880, b"\0"))
