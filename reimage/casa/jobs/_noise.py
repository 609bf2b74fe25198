"""From the noise of a whole spw to that of a selection of its channels: section by section, EB by EB."""

import _bandwidth
import _heuristics


def of_selection(known, selected, digits=None):
    """Noise of a spw's selection in each EB, Jy/beam.

    ``known``: of `_target.sensitivities`; ``selected``: channels by EB; ``digits``: of the whole spw's noise, where
    the pipeline remembers it from an earlier image.
    """
    values = []
    for eb, whole in known["ebs"].items():
        if not selected.get(eb):
            continue
        value = whole["jy_beam"]
        if digits or whole.get("remembered"):
            value = _heuristics.significant(value, digits or 3)
        smoothed = _bandwidth.effective(selected[eb], whole["total"], 1.0, whole["smoothing"])[1]
        values.append(
            value * (whole["channels"] / float(selected[eb])) ** 0.5 * smoothed / known["overlap"]
        )
    return values
