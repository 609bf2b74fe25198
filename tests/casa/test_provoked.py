"""Failures that a real CASA is made to have: what it says today is what the corpus holds.

Each is one small program in a directory of its own, with a copy of a simulated measurement set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from signal import Signals

import pytest

from reimage.casa import place
from reimage.triage.catalogue import load_classes
from reimage.triage.clues import Clue
from reimage.triage.evidence import of_path
from reimage.triage.judge import judge_text
from tests.casa import kinds

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("kinds")]

CLASSES = load_classes()
WALL_S = 120
BEGIN = """\
import os, sys
sys.argv = sys.argv[:1]
import resource, sqlite3, numpy
from casatasks import *
casalog.setlogfile("casa.log")
"""
TCLEAN = "tclean('ms.ms', imagename='im', imsize=64, cell='1arcsec', niter=0, {})"
SPLIT = "split('ms.ms', 'x.ms', datacolumn='data')"
PROVOKED = {
    "open-files": f"resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))\n{SPLIT}",
    "disk-full": f"resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))\n{SPLIT}",
    "memory": "resource.setrlimit(resource.RLIMIT_AS, (900 << 20,) * 2)\nnumpy.zeros((20000, 20000))",
    "task-missing": "exec(compile(\"clean(vis='ms.ms')\", 'scriptForImaging.py', 'exec'))",
    "script-of-other-casa": "exec(compile('from taskinit import *', 'scriptForPI.py', 'exec'))",
    "mpi-not-started": TCLEAN.format("parallel=True"),
    "permission-denied": f"os.chmod('.', 0o555)\nos.seteuid(65534)\n{SPLIT}",
    "syscal-missing": "gencal('ms.ms', caltable='t.tsys', caltype='tsys')",
    "wvr-unusable": "wvrgcal('ms.ms', caltable='w.wvr')",
    "flux-model-missing": "setjy('ms.ms', standard='Perley-Butler 2017', model='3C999_Q.im')",
    "antenna-unknown": "gaincal('ms.ms', caltable='g.tbl', refant='DV99', solint='inf')",
    "no-solutions": "flagdata('ms.ms', mode='manual')\nbandpass('ms.ms', caltable='b.tbl')\n"
    "applycal('ms.ms', gaintable=['b.tbl'])",
    "left-over": TCLEAN.format("") + "\nfor _ in range(2):\n    exportfits('im.image', 'x.fits')",
    "frequency-outside": TCLEAN.format("specmode='cube', start='10GHz', width='1MHz', nchan=3"),
    "image-degenerate": "tclean('ms.ms', imagename='im', imsize=0, cell='1arcsec', niter=0)",
    "bad-parameter": TCLEAN.format("phasecenter='J2000 nowhere'"),
    "no-visibilities": TCLEAN.format("field='NOPE'"),
    "working-directory-gone": "ms = os.path.abspath('ms.ms')\nos.mkdir('w')\nos.chdir('w')\n"
    "os.rmdir('../w')\ntclean(ms, imagename='im', imsize=64, cell='1arcsec', niter=0)",
    "input-missing": "concat(['ms.ms', 'gone.ms'], 'c.ms')",
    "fits-unreadable": "open('b.fits', 'w').write('<html>no</html>' * 300)\nimportfits('b.fits', 'b')",
    "missing-caltable": "applycal('ms.ms', gaintable=['nocal.tbl'])",
    "flag-version-missing": "flagmanager('ms.ms', mode='restore', versionname='nope')",
    "corrupt-table": "os.truncate('ms.ms/table.dat', 100)\n" + TCLEAN.format(""),
    "column-missing": "split('ms.ms', 'x.ms', datacolumn='float_data')",
}


@pytest.fixture(scope="module")
def observed(casa, cache):
    """Give a small measurement set, to be copied."""
    (ms, *_) = kinds.make(kinds.continuum(), casa, cache).ms
    return ms


@pytest.fixture
def directory():
    """Give a directory that anybody may enter."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def provoke(build, directory, observed, text):
    """Run a program under a build; return the evidence that its logs are, with its end."""
    place.prepare(directory)
    shutil.copytree(observed, directory / "ms.ms")
    (directory / "c.py").write_text(BEGIN + text + "\n")
    with (
        (directory / "stdout.log").open("wb") as stdout,
        (directory / "stderr.log").open("wb") as stderr,
    ):
        ended = subprocess.run(
            [build.python, "c.py"],
            cwd=directory,
            env=place.environment(build, directory),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            timeout=WALL_S,
            check=False,
        )
    directory.chmod(0o755)
    evidence = of_path(directory)
    if ended.returncode >= 0:
        return evidence
    signal = Signals(-ended.returncode).name
    return replace(evidence, clues=(*evidence.clues, Clue(source="exit.json", signal=signal)))


@pytest.mark.parametrize("error_class", PROVOKED)
def test_what_casa_says_today_is_known(casa, directory, observed, error_class):
    if error_class == "permission-denied" and os.geteuid() != 0:
        pytest.skip("only root becomes somebody else")
    evidence = provoke(casa, directory, observed, PROVOKED[error_class])
    judgement = judge_text(evidence, CLASSES)
    assert judgement.error_class == error_class, judgement.decisive
    assert all(clue.casa == casa.version for clue in evidence.clues if clue.source != "exit.json")
