from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from making import make_run
from making_images import make_cube, noise, primary_beam, write_image

from reimage import document
from reimage.model import Product, ProductState, Stage
from reimage.products.footprint import Footprint
from reimage.stages import assess, derive
from reimage.stages.context import PROVEN, StageContext
from reimage.stages.values import DeriveValue, ImageValue

SIZE = 48
PREFIX = "uid___A001_X1_X2.NGC_1_sci.spw17"


def prove(context, stage, value):
    path = context.work(stage) / PROVEN
    document.write(path, {"digest": "0", "value": document.dump(value)})


def product(image, kind, **other):
    name = f"{PREFIX}.{image}.I.{kind}.fits"
    fields = {
        "name": name,
        "kind": kind,
        "image": f"NGC_1.spw17.{image}",
        "target": "NGC_1",
        "spws": "17",
        "specmode": image,
        "state": ProductState.MADE,
        "path": f"image/products/{name}",
    }
    return Product(**{**fields, **other})


def make_context(directory, events):
    def emit(event, **data):
        events.append((event, data))

    return StageContext(
        run=make_run(directory),
        directory=directory,
        attempt=1,
        emit=emit,
        still_current=lambda: None,
    )


def write_products(context):
    """An mfs image and a cube with their primary beams and a mask, and one image that is absent."""
    response = primary_beam(SIZE, 40.0)
    level = noise(np.random.default_rng(1), 1, SIZE, 1e-3)[0]
    cube = make_cube(n_channels=24, size=SIZE, lines=[(12.0, 1.5, 40e-3)])
    planes = {
        ("mfs", "pbcor"): level / response,
        ("mfs", "pb"): response,
        ("mfs", "mask"): np.zeros((SIZE, SIZE)),
        ("cube", "pbcor"): cube / response,
        ("cube", "pb"): np.broadcast_to(response, cube.shape),
    }
    made = []
    for (image, kind), data in planes.items():
        unit = "Jy/beam" if kind == "pbcor" else ""
        made.append(product(image, kind))
        write_image(context.directory / made[-1].path, data, BUNIT=unit)
    made.append(product("cont", "pbcor", state=ProductState.ABSENT, path=None, reason="no data"))
    prove(context, Stage.IMAGE, ImageValue(plan=(), products=tuple(made)))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that is derived: made once, copied for each test."""
    directory = tmp_path_factory.mktemp("run")
    context = make_context(directory, [])
    write_products(context)
    prove(context, Stage.DERIVE, derive.run(context))
    return directory


@pytest.fixture
def events():
    return []


@pytest.fixture
def context(finished, tmp_path, events):
    shutil.copytree(finished, tmp_path / "run")
    return make_context(tmp_path / "run", events)


@pytest.fixture
def products(context):
    return context.value(Stage.IMAGE, ImageValue).products


@pytest.fixture
def derived(context):
    return context.value(Stage.DERIVE, DeriveValue)


def by_kind(value):
    return {(item.specmode, item.kind): item for item in value.products}


def test_each_image_has_a_preview_and_a_footprint_and_each_cube_its_admit(
    context, products, derived
):
    value = derived
    assert [item.name for item in value.products] == [item.name for item in products]
    for item in value.products[:-1]:
        assert (context.directory / item.preview).stat().st_size > 5000
        assert (context.directory / item.footprint).exists()
    assert [bool(item.admit) for item in value.products] == [
        False,
        False,
        False,
        True,
        False,
        False,
    ]
    assert (context.directory / by_kind(value)["cube", "pbcor"].admit / "admit.json").exists()
    assert value.caveats == ()


def test_an_absent_image_is_left_alone(products, derived):
    assert derived.products[-1] == products[-1]


def test_a_mask_has_the_footprint_of_its_image(context, derived):
    value = by_kind(derived)
    mask = document.read(Footprint, context.directory / value["mfs", "mask"].footprint)
    image = document.read(Footprint, context.directory / value["mfs", "pbcor"].footprint)
    assert mask.of == image.file
    assert mask.regions == image.regions


def test_a_second_attempt_makes_only_what_is_not_there(context, derived, events):
    cube = by_kind(derived)["cube", "pbcor"]
    (context.directory / cube.preview).unlink()
    kept = by_kind(derived)["mfs", "pbcor"]
    before = (context.directory / kept.preview).stat().st_mtime_ns
    assert derive.run(context) == derived
    assert [data["name"] for event, data in events if event == "product.derived"] == [cube.name]
    assert (context.directory / kept.preview).stat().st_mtime_ns == before


def test_an_image_that_was_made_again_is_derived_again(context, products, events):
    path = context.directory / products[0].path
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))
    derive.run(context)
    assert [data["name"] for event, data in events if event == "product.derived"] == [
        products[0].name
    ]


def test_a_blank_image_is_a_caveat(context, products, events):
    write_image(context.directory / products[0].path, np.full((SIZE, SIZE), np.nan))
    value = derive.run(context)
    name = products[0].name
    assert value.caveats == (f"preview-missing:{name}", f"footprint-missing:{name}")
    assert value.products[0].preview is None
    told = [data for event, data in events if event == "product.underived"]
    assert {item["code"] for item in told} == {"fits-blank"}


def test_a_damaged_image_is_a_caveat(context, products):
    path = context.directory / products[3].path
    path.write_bytes(path.read_bytes()[:20000])
    value = derive.run(context)
    name = products[3].name
    assert value.caveats == (
        f"preview-missing:{name}",
        f"footprint-missing:{name}",
        f"admit-missing:{name}",
    )


def test_a_damaged_primary_beam_does_not_hinder_its_image(context, products):
    for index in (0, 1):
        (context.directory / "derive" / "records" / f"{products[index].name}.json").unlink()
    (context.directory / products[1].path).write_bytes(b"")
    value = derive.run(context)
    assert value.products[0].preview
    assert f"preview-missing:{products[1].name}" in value.caveats


def test_continuum_left_in_a_cube_is_a_caveat(context, products):
    cube = make_cube(n_channels=24, size=SIZE, continuum=0.1)
    write_image(context.directory / products[3].path, cube)
    assert "continuum-left-in:NGC_1.spw17.cube" in derive.run(context).caveats


def test_when_nothing_can_be_derived_the_stage_fails(context, products):
    for item in products[:-1]:
        write_image(context.directory / item.path, np.full((SIZE, SIZE), np.nan))
    with pytest.raises(derive.NothingDerived):
        derive.run(context)


def test_an_image_that_is_gone_is_an_error(context, products):
    (context.directory / products[0].path).unlink()
    with pytest.raises(derive.DerivedIncomplete):
        derive.run(context)


def test_a_later_attempt_stops_an_earlier_one(context, products):
    class Superseded(Exception):
        pass

    def superseded():
        raise Superseded

    with pytest.raises(Superseded):
        derive.run(replace(context, still_current=superseded))


def test_every_image_is_measured_and_sealed(context, derived):
    value = by_kind(assess.run(context))
    for item in value.values():
        if item.state is ProductState.ABSENT:
            assert item.sha256 is None
            continue
        data = (context.directory / item.path).read_bytes()
        assert item.n_bytes == len(data)
        assert item.sha256 == hashlib.sha256(data).hexdigest()
    cube = value["cube", "pbcor"].numbers
    assert cube["rms_jy_beam"] == pytest.approx(1e-3, rel=0.15)
    assert abs(cube["peak_channel"] - 12) <= 1
    assert value["mfs", "pb"].numbers["peak"] == pytest.approx(1.0)


def test_what_was_derived_stays_on_the_row(context, derived):
    value = by_kind(assess.run(context))
    assert value["cube", "pbcor"].admit == by_kind(derived)["cube", "pbcor"].admit


def test_noise_alone_is_a_caveat(context, derived):
    assert assess.run(context).caveats == ("low-dynamic-range:NGC_1.spw17.mfs",)


def test_a_blank_image_is_a_caveat_of_quality(context, derived):
    write_image(context.directory / derived.products[0].path, np.zeros((SIZE, SIZE)))
    value = assess.run(context)
    assert "image-blank:NGC_1.spw17.mfs" in value.caveats
    assert value.products[0].numbers == {}


@pytest.mark.parametrize("what", ["path", "preview", "footprint"])
def test_what_is_gone_is_an_error(context, derived, what):
    (context.directory / getattr(derived.products[0], what)).unlink()
    with pytest.raises(assess.ProductMissing):
        assess.run(context)


def test_values_survive_their_json(context, derived):
    assert document.load(DeriveValue, document.dump(derived)) == derived
    value = assess.run(context)
    assert document.load(type(value), document.dump(value)) == value


def with_weblog(context):
    """Prove an image stage whose weblog has a picture of the mfs image, and log and script beside it."""
    value = context.value(Stage.IMAGE, ImageValue)
    picture = context.directory / "image" / "weblog.png"
    picture.write_bytes(b"the picture of the weblog")
    (context.directory / "image/products/x.weblog.tgz").write_bytes(b"weblog")
    bare = {"image": "", "target": "", "spws": "", "specmode": "", "planned": False}
    beside = (
        Product(
            **bare,
            name="x.weblog.tgz",
            kind="weblog",
            state=ProductState.MADE,
            path="image/products/x.weblog.tgz",
        ),
        Product(
            **bare,
            name="x.calapply.txt",
            kind="calapply",
            state=ProductState.ABSENT,
            reason="the delivery has none",
        ),
    )
    first = replace(value.products[0], preview=str(picture.relative_to(context.directory)))
    prove(
        context,
        Stage.IMAGE,
        replace(value, products=(first, *value.products[1:], *beside)),
    )
    shutil.rmtree(context.directory / "derive")
    prove(context, Stage.DERIVE, derive.run(context))
    return beside


def test_what_goes_with_the_images_is_neither_drawn_nor_measured(context, events):
    weblog, calapply = with_weblog(context)
    derived = context.value(Stage.DERIVE, DeriveValue)
    assert derived.products[-2:] == (weblog, calapply)
    assert derived.caveats == ()
    value = assess.run(context)
    assert value.products[-1] == calapply
    assert value.products[-2] == replace(
        weblog, n_bytes=6, sha256=hashlib.sha256(b"weblog").hexdigest()
    )
    assert not [caveat for caveat in value.caveats if "weblog" in caveat]
    assert events[-1] == ("products.assessed", {"made": 5, "planned": 6})


def test_a_preview_that_the_weblog_has_is_not_drawn_again(context):
    with_weblog(context)
    preview = by_kind(context.value(Stage.DERIVE, DeriveValue))["mfs", "pbcor"].preview
    assert preview.startswith("derive/previews/")
    assert (context.directory / preview).read_bytes() == b"the picture of the weblog"
