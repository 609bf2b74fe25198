"""What a restore depends on, and so when it may be taken over."""

from __future__ import annotations

from types import SimpleNamespace

from making import make_build

from reimage import adoption, fix
from reimage.model import Stage
from reimage.settings import shipped


def digest(named=()):
    fixes = fix.discover([shipped("fixes")], named)
    context = SimpleNamespace(run=SimpleNamespace(fixes=fixes), build=make_build)
    return adoption.input_digest(context, Stage.RESTORE, {Stage.FETCH: "fetched"})


def test_a_restore_with_an_offered_fix_is_another_restore():
    assert digest() == digest()
    assert digest(["python2-port"]) != digest()
