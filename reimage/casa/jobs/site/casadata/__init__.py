# CASA 6.2 to 6.6.0 has no casaconfig: it looks for a package of this name to find its data.
import os as _os

datapath = _os.environ.get("REIMAGE_CASADATA", "")
