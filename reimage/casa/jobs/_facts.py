"""Reading what `image_prepare` found: what one kind of image has of its own goes before what all share."""


def of(target, specmode, what):
    """A target's ``geometry``, ``axes`` or ``sensitivity`` for one kind of image."""
    own = target.get("own", {}).get(specmode, {})
    if what == "geometry":
        return own.get(what, target.get(what))
    return dict(target.get(what, {}), **own.get(what, {}))


def geometry(target, specmode):
    """Cell, size, phase centre and gridder of a kind of image."""
    return of(target, specmode, "geometry")


def axis(target, specmode, spw):
    """Start, width, channels and binning of a cube; None when the EBs share no range."""
    return of(target, specmode, "axes").get(str(spw))


def sensitivity(target, specmode, spw):
    """Noise of the whole spw per EB, and the factors that make it the noise of a selection."""
    return of(target, specmode, "sensitivity")[str(spw)]


def robust(facts, settings):
    """Briggs robust: what the list of an image sets itself, else what all others share."""
    return facts["robust"] if settings["robust"] is None else settings["robust"]


def refusal(facts, one):
    """Why an image of the plan is not even tried; None: it is.  ``one``: target, spws, specmode."""
    target = next(target for target in facts["targets"] if target["name"] == one["target"])
    if target["ephemeris"]:
        return "ephemeris-target-not-imaged: the target moves: moving targets are not imaged"
    if target.get("unusable"):
        return target["unusable"]
    mitigation = facts.get("mitigation") or {"error": None, "dropped": []}
    if mitigation["error"]:
        return "product-size-unmitigable: " + mitigation["error"]
    for dropped in mitigation["dropped"]:
        whole = dropped["spw"] is None
        cube = one["specmode"] in ("cube", "repBW") and one["spws"] == [dropped["spw"]]
        if dropped["target"] == one["target"] and (whole or cube):
            return dropped["reason"]
    lost = [spw for spw in one["spws"] if spw in target["flagged"]]
    if lost:
        return "all data of spw %s are flagged" % ",".join(map(str, lost))
    if one["specmode"] in ("cube", "repBW") and one["spws"][0] in target["too_few"]:
        return "too-few-channels: spw %d is too narrow for a cube" % one["spws"][0]
    return None
