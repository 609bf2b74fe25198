"""What is done about a CASA process of the *tasks* engine that died."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from making_accounts import PLAN, make_request

from reimage import document
from reimage.casa import process
from reimage.imaging import records
from reimage.imaging.workers import Workers
from reimage.model import ProductState

FACTS = {
    "spws": [],
    "targets": [{"name": "NGC <1>", "geometry": {"imsize": [8, 8]}, "axes": {"0": {"nchan": 2}}}],
}
MFS = PLAN[0]


class Deaths:
    """Plays processes: each dies at one thing as often as it is told, then all is done."""

    def __init__(self, what, times, signal, *, claim=True):
        self.what, self.left, self.signal, self.claim = what, times, signal, claim
        self.starts = 0

    def __call__(self, calls, *, then, meanwhile, **_):
        waiting = list(calls)
        while waiting:
            call = waiting.pop(0)
            self.starts += 1
            assert self.starts < 20, "started again and again"
            inputs = call.inputs
            document.write(Path(inputs["prepared"]), {"digest": inputs["digest"], "facts": FACTS})
            meanwhile()
            answer = {}
            if self.left and not self._is_given_up(inputs):
                self.left -= 1
                if self.claim:
                    (Path(inputs["claims"]) / self.what).symlink_to(str(inputs["worker"]))
                answer = process.CasaJobFailed("ended", evidence={"signal": self.signal})
            if (following := then(call, answer)) is not None:
                waiting.append(following)

    def _is_given_up(self, inputs):
        path = Path(inputs["records"]) / f"{self.what}.json"
        return path.exists() and document.read_json(path)["state"] == "absent"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Give what starts workers on images that an earlier start has made."""

    def start(played, cores=1):
        monkeypatch.setattr(process, "run_jobs", played)
        request = make_request(tmp_path)
        request = dataclasses.replace(
            request, limits=dataclasses.replace(request.limits, cores=cores)
        )
        work = request.directory
        (work / "scratch").mkdir()
        for name in before:
            (work / "products" / name).unlink()
        inputs = {
            "digest": "d",
            "prepared": str(work / "prepared.json"),
            "records": str(work / "records"),
        }
        Workers(request, inputs, lambda _: PLAN).run()
        return request

    before: list[str] = []
    start.gone = before
    return start


def test_an_image_whose_files_are_gone_and_that_kills_casa_is_given_up(start):
    start.gone.append(MFS.files["pbcor"])
    request = start(Deaths(MFS.basename, 99, "SIGABRT"))
    assert records.read(request.directory, MFS).state is ProductState.ABSENT


def test_an_image_that_was_recorded_before_the_death_stays(start):
    request = start(Deaths(MFS.basename, 1, "SIGABRT"))
    assert records.read(request.directory, MFS).state is ProductState.MADE


def test_a_process_that_was_killed_while_it_waited_is_not_missed(start):
    played = Deaths("nothing", 1, "SIGKILL", claim=False)
    start(played, cores=2)
    assert played.starts == 2


@pytest.mark.parametrize("signal", ["SIGSEGV", None])
def test_a_process_that_dies_of_itself_at_nothing_ends_the_stage(start, signal):
    with pytest.raises(process.CasaJobFailed):
        start(Deaths("nothing", 1, signal, claim=False), cores=2)


def test_a_claim_that_another_takes_back_meanwhile_is_none(start, monkeypatch):
    def listed(directory, known=Path.iterdir):
        gone = [directory / "taken-back"] if directory.name.startswith("claims-") else []
        return iter([*gone, *known(directory)])

    monkeypatch.setattr(Path, "iterdir", listed)
    request = start(Deaths(MFS.basename, 1, "SIGABRT"))
    assert records.read(request.directory, MFS).state is ProductState.MADE


def test_of_an_image_that_is_given_up_no_file_is_left(start):
    start.gone.append(MFS.files["pbcor"])
    request = start(Deaths(MFS.basename, 99, "SIGABRT"))
    left = {path.name for path in (request.directory / "products").iterdir()}
    assert left == {"cont.dat", *PLAN[2].files.values()}
