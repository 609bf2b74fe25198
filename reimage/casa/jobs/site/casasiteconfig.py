# Site configuration of every CASA process we start (casaconfig, CASA 6.6.5 and later).  casaconfig
# exec()s this file, so values of one process come from its environment.  If anything here raised,
# casaconfig would skip the file in silence: hence the defaults.  No network, no display, no HOME.
import os as _os

measurespath = _os.environ.get("REIMAGE_CASADATA", "")
datapath = [measurespath]
measures_auto_update = False
data_auto_update = False
nologger = True
nogui = True
agg = True
telemetry_enabled = False
crashreporter_enabled = False
casaconfig_verbose = 0
cachedir = _os.environ.get("REIMAGE_CASA_CACHE", _os.path.abspath(".casa-cache"))
logfile = _os.environ.get("REIMAGE_CASA_LOG", _os.path.abspath("casa.log"))
