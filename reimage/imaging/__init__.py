"""Making images of calibrated MSs by a recipe, within a run or without one.

An engine carries out the recipe's imaging steps: ``tasks`` (ours, on casatasks) or ``pipeline`` (the
ALMA pipeline of a build that has it).  Both are given the same request and answer in the same form.
"""
