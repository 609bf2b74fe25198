"""`reimage image` around an engine that is played: arguments, table, JSON, exit codes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from reimage import cli, document
from reimage.casa import process
from reimage.cli import run_shapes
from reimage.imaging import engines
from reimage.imaging.request import Imaged
from reimage.model import PlannedImage, Product, ProductState
from tests.making import make_build, make_tree
from tests.making_images import make_cube, write_image

REASON = "NoData: all data of spw 1 are flagged"


def planned(spw):
    name = f"x.NGC_1_sci.spw{spw}.mfs.I"
    return PlannedImage(
        id=f"NGC_1.spw{spw}.mfs",
        target="NGC_1",
        spws=(spw,),
        specmode="mfs",
        nterms=1,
        basename=name,
        files={"pbcor": f"{name}.pbcor.fits"},
    )


def product(image, *, is_made):
    name = image.files["pbcor"]
    return Product(
        name=name,
        kind="pbcor",
        image=image.id,
        target=image.target,
        spws="0",
        specmode="mfs",
        state=ProductState.MADE if is_made else ProductState.ABSENT,
        reason=None if is_made else REASON,
        path=f"products/{name}" if is_made else None,
    )


class Engine:
    """Makes an image of spw 0, and of spw 1 unless it is lost."""

    def __init__(self):
        self.lost = False
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        plan = (planned(0), planned(1))
        request.emit("image.planned", images=[image.id for image in plan], n=2)
        made = [product(plan[0], is_made=True), product(plan[1], is_made=not self.lost)]
        for one in made:
            if one.path:
                write_image(request.root / one.path, make_cube(n_channels=1, continuum=0.05)[0])
        weblog = replace(made[0], name="weblog.tgz", kind="weblog", image="", path=None)
        return Imaged(plan=plan, products=(*made, weblog), caveats=("odd:NGC_1.spw0.mfs",))


@pytest.fixture
def engine(monkeypatch, tmp_path):
    played = Engine()
    known = {"columns": ["DATA"], "differs": False, "corrected_amplitude": None}
    monkeypatch.setattr(engines, "make", played)
    monkeypatch.setattr(
        process, "run_job", lambda _, __, inputs, **___: dict.fromkeys(inputs["ms"], known)
    )
    (tmp_path / "data/builds").mkdir(parents=True)
    document.write(tmp_path / "data/builds/casa-6.7.0.31-py311.json", make_build())
    make_tree(tmp_path / "a.ms", {"table.dat": "x"})
    return played


def call(capsys, *words):
    code = cli.main(["image", "a.ms", "-o", "out", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_every_image_made(engine, capsys, tmp_path):
    code, out, err = call(capsys)
    assert code == 0
    first = next(line for line in out.splitlines() if line.startswith("NGC_1.spw0.mfs"))
    assert first.split()[1] == "made"
    assert "1.20 x 0.80" in first
    assert "column data: the only one" in err
    assert "odd: NGC_1.spw0.mfs" in err
    assert "2 of 2 images" in err
    assert max(map(len, out.splitlines())) <= 80
    outcome = document.read(run_shapes.Images, tmp_path / "out" / "outcome.json")
    assert outcome.result == "imaged"


def test_an_image_that_is_absent(engine, capsys):
    engine.lost = True
    code, out, _ = call(capsys)
    assert code == 10
    assert REASON in out


def test_json_has_its_documented_shape(engine, capsys):
    engine.lost = True
    code, out, _ = call(capsys, "--json")
    assert code == 10
    told = json.loads(out)
    assert document.dump(document.load(run_shapes.Images, told)) == told
    assert told["result"] == "partial"
    assert [one["state"] for one in told["images"]] == ["made", "absent"]
    assert told["images"][0]["rms_jy_beam"] == pytest.approx(1e-3, rel=0.3)
    assert told["images"][0]["files"] == ["products/x.NGC_1_sci.spw0.mfs.I.pbcor.fits"]
    assert told["images"][1]["rms_jy_beam"] is None
    assert told["ms"][0]["because"]
    assert len(told["products"]) == 3


def test_previews_and_footprints(engine, capsys, tmp_path):
    engine.lost = True
    _, out, _ = call(capsys, "--derive", "--json")
    made, absent, weblog = json.loads(out)["products"]
    assert (tmp_path / "out" / made["preview"]).stat().st_size > 1000
    assert (tmp_path / "out" / made["footprint"]).exists()
    assert absent["preview"] is None
    assert weblog["preview"] is None


def test_what_cannot_be_measured_has_no_numbers(engine, capsys, monkeypatch):
    engine.lost = True
    monkeypatch.setattr(engines, "make", lambda request: _blanked(request, engine(request)))
    code, out, _ = call(capsys, "--json", "--derive")
    assert code == 10
    assert json.loads(out)["images"][0]["rms_jy_beam"] is None


def _blanked(request, imaged):
    write_image(request.root / imaged.products[0].path, np.full((48, 48), np.nan))
    return imaged


def test_cores_and_names_reach_the_engine(engine, capsys):
    call(capsys, "--cores", "3", "--name", "mine", "--set", "makeimages.hm_cyclefactor=3")
    (request,) = engine.requests
    assert request.limits.cores == 3
    assert request.dataset == "mine"
    assert request.recipe.overrides == ("makeimages.hm_cyclefactor=3",)


def test_cores_that_change_nothing_are_told(engine, capsys, tmp_path):
    path = tmp_path / "data/builds/casa-6.7.0.31-py311.json"
    document.write(path, make_build(pipeline="2025.1.0.35"))
    _, _, err = call(capsys, "--cores", "3", "--set", "engine=pipeline")
    assert "`cores` changes nothing" in err
    assert "`cores` changes nothing" not in call(capsys, "-o", "other", "--cores", "3")[2]


def test_the_weblog_is_named_where_there_is_one(engine, capsys, tmp_path):
    assert "weblog: " not in call(capsys)[2]
    make_tree(tmp_path / "out", {"weblog/index.html": "x"})
    assert "out/weblog/index.html" in call(capsys)[2]


def test_the_same_command_goes_on_and_another_one_is_refused(engine, capsys):
    assert call(capsys)[0] == 0
    code, _, err = call(capsys)
    assert code == 0
    assert "going on" in err
    code, _, err = call(capsys, "--name", "other")
    assert code == 2
    assert "error[image-directory-other]" in err
    assert "repeat the command" in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--recipe", "nonsense"], "recipe-unknown"),
        (["--set", "makeimages.hm_cyclefacter=3"], "recipe-override-unusable"),
        (["--casa", "nonsense"], "build-unknown"),
        (["--name", "a b"], "image-name-unusable"),
        (["--column", "corrected"], "ms-column-missing"),
        (["missing.ms"], "ms-not-here"),
        (["a.ms"], "ms-twice"),
    ],
)
def test_bad_input_is_an_error_with_a_code(engine, capsys, words, code):
    left, out, err = call(capsys, *words)
    assert left == 2
    assert out == ""
    assert f"error[{code}]" in err
    assert "hint" in err


def test_no_build_at_all(engine, capsys, tmp_path):
    (tmp_path / "data/builds/casa-6.7.0.31-py311.json").unlink()
    left, _, err = call(capsys)
    assert left == 1
    assert "error[casa-build-missing]" in err
    assert "casa install" in err


def test_interrupted(engine, capsys, monkeypatch):
    def stop(request):
        raise KeyboardInterrupt

    monkeypatch.setattr(engines, "make", stop)
    code, _, err = call(capsys)
    assert code == 130
    assert "the same command goes on" in err.replace("\n", " ")
