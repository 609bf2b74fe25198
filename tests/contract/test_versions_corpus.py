"""The choice of CASA over texts of deliveries: ``tests/corpus/versions/<case>.toml``.

A case has ``files`` (name = text), ``tars`` (name = its files), ``pdfs`` and ``fits`` (name = what it
says), the versions that are ``installed`` and which of those have ``pipelines``; and what must come of
it: ``because`` (version, role, trust of each statement, in order), ``wanted``, ``version``, ``doubtful``.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tomllib
from pathlib import Path

import pytest
from making import make_build, make_tree

from reimage import cli, document
from reimage.model import CasaBuild

CORPUS = Path(__file__).parent.parent / "corpus" / "versions"
CASES = {path.stem: path for path in sorted(CORPUS.glob("*.toml"))}
KEYS = {"installed", "pipelines", "because", "wanted", "version", "doubtful", "crlf"}
ASK = ("casa", "choose", "--explain", "--json")
PLACES = {"files", "tars", "pdfs", "fits"}


def packed(inside, name):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, text in inside.items():
            info = tarfile.TarInfo(path)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(stream.getvalue()) if name.endswith("gz") else stream.getvalue()


def pdf(text):
    stream = f"BT /F1 12 Tf 20 700 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, table = b"%PDF-1.4\n", b"0000000000 65535 f \n"
    for number, body in enumerate(objects, start=1):
        table += b"%010d 00000 n \n" % len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    end = b"trailer<</Root 1 0 R/Size 6>>\nstartxref\n%d\n%%%%EOF" % len(out)
    return out + b"xref\n0 6\n" + table + end


def fits(origin):
    cards = ["SIMPLE  =                    T", f"ORIGIN  = '{origin}'", "END"]
    return "".join(card.ljust(80) for card in cards).ljust(2880).encode()


def built(case, root):
    ends = "\r\n" if case.get("crlf") else "\n"
    files = {name: text.replace("\n", ends) for name, text in case.get("files", {}).items()}
    files |= {name: packed(inside, name) for name, inside in case.get("tars", {}).items()}
    files |= {name: pdf(text) for name, text in case.get("pdfs", {}).items()}
    files |= {name: fits(text) for name, text in case.get("fits", {}).items()}
    return make_tree(root, files)


def register(versions, pipelines, folder):
    for version in versions:
        pipeline = "2024.1.0.8" if version in pipelines else None
        build = make_build(version, pipeline=pipeline, packages={})
        assert isinstance(build, CasaBuild)
        folder.mkdir(parents=True, exist_ok=True)
        document.write(folder / f"{build.id}.json", build)


@pytest.mark.parametrize("name", CASES)
def test_choice(name, tmp_path, capsys):
    case = tomllib.loads(CASES[name].read_text(encoding="utf-8"))
    assert case.keys() <= KEYS | PLACES
    register(case["installed"], case.get("pipelines", ()), tmp_path / "data" / "builds")
    root = built(case, tmp_path / "delivery")
    assert cli.main(["--data", str(tmp_path / "data"), *ASK, str(root)]) == 0
    found = json.loads(capsys.readouterr().out)
    said = [f"{one['version']} {one['role']} {one['strength']}" for one in found["because"]]
    assert said == case["because"]
    assert found["wanted"] == case.get("wanted")
    assert found["version"] == case.get("version")
    assert found["installed"] == ("version" in case)
    assert found["doubtful"] == case["doubtful"]
    for one in found["because"]:
        assert one["line"] >= 1
        assert (root / one["file"].partition(":")[0]).is_file()


def test_there_are_enough_cases():
    assert len(CASES) >= 60
