"""Foreground runs: leading, following, being interrupted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import operating
import pytest

from reimage.cli import codes, driving
from reimage.controller import Controller
from reimage.leadership import ControllerRunning
from reimage.store import lease

DATASET = "uid://A001/X1/X1"


def test_a_run_is_followed_when_somebody_else_leads(monkeypatch, site):
    def refuse(*_, **__):
        raise ControllerRunning("a controller leads already: elsewhere")

    def they_work(_):
        operating.work(site.settings)

    monkeypatch.setattr(driving, "lead", refuse)
    monkeypatch.setattr(driving, "time", SimpleNamespace(sleep=they_work))
    said = site.call("run", DATASET, "--json")
    assert said.code == codes.DONE
    assert said.json["run"]["result"] == "imaged"
    assert "following it" in said.err
    assert "assess proven" in said.err


def test_a_second_controller_leaves_at_once(site):
    now = datetime.now(UTC)
    other = "elsewhere:another-boot:1:1"
    with operating.opened(site.settings.database_url) as database, database.write() as session:
        assert lease.take(session, None, other, now, now + timedelta(seconds=60))
    said = site.call("controller", "--once")
    assert said.code == codes.FAILED
    assert "error[controller-running]" in said.err


@pytest.mark.parametrize(("signal", "code"), [("SIGINT", 130), ("SIGTERM", 130)])
def test_a_run_that_is_left_goes_on(monkeypatch, site, signal, code):
    def stop(self, **_):
        self.stopped_by = signal

    monkeypatch.setattr(Controller, "run", stop)
    said = site.call("run", DATASET)
    assert said.code == code
    queued = site.call("status", "--json").json["runs"]
    assert [run["state"] for run in queued] == ["queued"]
