"""The peer of the slots bench, run by the build's own Python: one tclean call, about as long as an imaging stage."""

import sys

ARGUMENTS, sys.argv = sys.argv[1:], sys.argv[:1]
import sqlite3  # noqa: F401
import numpy  # noqa: F401
from casatasks import tclean

tclean(
    vis=ARGUMENTS[0],
    imagename="peer",
    specmode="cube",
    imsize=[144, 144],
    cell="0.3arcsec",
    niter=20000,
    threshold="1mJy",
    weighting="briggs",
    robust=0.5,
    pbcor=True,
    usemask="auto-multithresh",
    outframe="LSRK",
    restoringbeam="common",
    interactive=False,
    datacolumn="data",
    spw="2,3",
)
