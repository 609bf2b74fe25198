"""The demonstration with an archive that is made at once: no CASA, the command's own way only."""

from __future__ import annotations

from making import make_archive, make_build, make_row

from reimage import document
from reimage.demo.datasets import datasets
from reimage.settings import load

LETTERS = {dataset.letter: str(dataset.mous) for dataset in datasets()}


def at_once(monkeypatch, tmp_path):
    """Have `reimage demo` find its CASA installed and its datasets simulated."""
    monkeypatch.setenv("REIMAGE_POLL_S", "0.01")

    def build_archive(target, *, build, cache, emit):
        assert (build.version, cache) == ("6.7.0.31", load().cache)
        rows = [make_row(member_ous_uid=mous) for mous in LETTERS.values()]
        if not target.exists():
            make_archive(target, {"a.tar": ("#auxiliary", b"x")}, rows)
        emit("demo.cached", dataset="a")
        emit("demo.built", path=str(target), datasets=6)

    def install(row, *, builds_dir, **_):
        build = make_build(id=row.id, python=str(tmp_path / "python"))
        (tmp_path / "python").touch()
        builds_dir.mkdir(parents=True)
        document.write(builds_dir / f"{build.id}.json", build)
        return build

    monkeypatch.setattr("reimage.cli.demo.building.build_archive", build_archive)
    monkeypatch.setattr("reimage.cli.demo.builds.install", install)
