"""Whether the pipeline can make the plots of its weblog.

casaplotms is a program with windows, and an AppImage: without a display it fails, without FUSE 2 it hangs
(seen with 2.6.2), and in a cage there is no FUSE.  An unpacked copy in its place needs none.
"""

import ctypes
import glob
import importlib.util
import os

FUSE = "libfuse.so.2"


def why_not(wanted, display):
    """Take a display; return why there is to be no weblog, None where there is to be one.

    ``wanted``: False leaves it, None takes it where plots can be made, True insists on it.
    """
    if display:
        os.environ["DISPLAY"] = display
    if wanted is False:
        return "switched off"
    if wanted:
        return None
    return cannot_plot() if display else "no X display"


def cannot_plot():
    """Why casaplotms would fail or hang; None if nothing is known against it."""
    spec = importlib.util.find_spec("casaplotms")
    if spec is None or not spec.submodule_search_locations:
        return "casaplotms is not installed"
    where = list(spec.submodule_search_locations)[0]
    packed = glob.glob(os.path.join(glob.escape(where), "__bin__", "*.AppImage"))
    if any(os.path.isfile(one) for one in packed) and not has_fuse():
        return "casaplotms is an AppImage, and there is no FUSE 2 for it"
    return None


def has_fuse():
    """Whether an AppImage can be mounted."""
    try:
        ctypes.CDLL(FUSE)
    except OSError:
        return False
    return os.path.exists("/dev/fuse")
