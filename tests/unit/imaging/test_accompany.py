"""What goes with the images: rows, files, names; and a weblog that needs nothing from elsewhere."""

from __future__ import annotations

import json
import tarfile
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from making_accounts import EB, FACTS, PLAN, call, make_imaged, make_request

from reimage.delivery import paperwork
from reimage.imaging.accompany import CARRIED, accompany
from reimage.model import ProductState

MADE = ProductState.MADE


def rows(imaged):
    return {product.kind: product for product in imaged.products if not product.image}


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    place = tmp_path_factory.mktemp("delivery")
    for name in (
        f"{EB}.ms.calapply.txt",
        f"{EB}.ms.flagversions.tgz",
        "member.uid___A001_X1_X2.hifa_calimage.casa_piperestorescript.py",
    ):
        (place / name).write_text(name)
    (place / "m.pipeline_manifest.xml").write_text(
        f'<piperesults><ous name="o"><session name="s7"><asdm name="{EB}.ms"/></session></ous></piperesults>'
    )
    return {
        "calapply": (place / f"{EB}.ms.calapply.txt",),
        "flagversions": (place / f"{EB}.ms.flagversions.tgz", place / "gone.flagversions.tgz"),
        "restorescript": tuple(place.glob("*restorescript.py")),
        "flux.csv": (),
        "sessions": (place / "m.pipeline_manifest.xml",),
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory, delivered):
    """Give a request and the images with what goes with them."""
    root = tmp_path_factory.mktemp("run")
    request = make_request(root, carried=delivered, keywords={"RUNID": "20260102"})
    return request, accompany(request, make_imaged(request), FACTS)


@pytest.fixture(scope="module")
def site(done, tmp_path_factory):
    """Give the weblog, unpacked somewhere else."""
    request, imaged = done
    place = tmp_path_factory.mktemp("site")
    with tarfile.open(request.root / rows(imaged)["weblog"].path) as tar:
        tar.extractall(place)  # noqa: S202 -- our own; Debian's 3.11.2 has no filters
    return place / "weblog"


def test_every_row_is_a_file_of_its_size_or_absent_with_a_reason(done):
    request, imaged = done
    for row in rows(imaged).values():
        assert not row.planned
        if row.state is MADE:
            assert (request.root / row.path).stat().st_size == row.n_bytes > 0
        else:
            assert row.reason
    assert len({product.name for product in imaged.products}) == len(imaged.products)


def test_the_images_stay_as_they_are_but_for_their_previews(done):
    request, imaged = done
    own = [product for product in imaged.products if product.image]
    assert [product.name for product in own] == [
        name for image in PLAN for name in image.files.values()
    ]
    previews = {product.name: product.preview for product in own if product.preview}
    assert sorted(previews) == sorted(PLAN[n].files["pbcor"] for n in (0, 2))
    assert all((request.root / path).exists() for path in previews.values())


def test_names_are_those_of_the_year(done, tmp_path):
    _, imaged = done
    assert rows(imaged)["weblog"].name == "uid___A001_X1_X2.weblog.tgz"
    assert rows(imaged)["casa_pipescript"].name == "casa_pipescript.py"
    request = make_request(tmp_path, "naming=2024")
    later = rows(accompany(request, make_imaged(request), FACTS))
    stem = "uid___A001_X1_X2.hifatargets"
    assert later["weblog"].name == f"{stem}.weblog.tgz"
    assert later["casa_commands"].name == f"{stem}.casa_commands.log"
    assert later["casa_pipescript"].name == f"{stem}.casa_pipescript.py"
    assert later["manifest"].name == f"{stem}.pipeline_manifest.xml"
    assert later["cont.dat"].name == "uid___A001_X1_X2.cont.dat"


def test_what_was_delivered_is_carried_over_without_a_copy(done, delivered):
    request, imaged = done
    row = rows(imaged)["calapply"]
    assert (row.name, row.state) == (f"{EB}.ms.calapply.txt", MADE)
    assert (request.root / row.path).samefile(delivered["calapply"][0])


def test_what_is_not_there_is_absent_with_the_reason(done):
    _, imaged = done
    gone = next(p for p in imaged.products if p.name == "gone.flagversions.tgz")
    assert (gone.state, gone.reason) == (ProductState.ABSENT, "it is no longer in the delivery")
    assert rows(imaged)["flux.csv"].reason == "the delivery has none"


def test_without_a_delivery_nothing_of_one_is_missing(tmp_path):
    request = make_request(tmp_path, "weblog=false")
    alone = rows(accompany(request, make_imaged(request), FACTS))
    assert not set(alone) & set(CARRIED)


def test_files_of_one_name_stay_apart(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "flux.csv").write_text(name)
    several = (tmp_path / "a" / "flux.csv", tmp_path / "b" / "flux.csv")
    request = make_request(tmp_path / "run", "weblog=false", carried={"flux.csv": several})
    imaged = accompany(request, make_imaged(request), FACTS)
    kept = [product for product in imaged.products if product.kind == "flux.csv"]
    assert [(request.root / one.path).read_text() for one in kept] == ["a", "b"]


def test_a_recipe_without_weblog_makes_none(tmp_path):
    request = make_request(tmp_path, "weblog=false")
    imaged = accompany(request, make_imaged(request), FACTS)
    assert "weblog" not in rows(imaged)
    assert not (request.directory / "weblog").exists()
    assert not any(product.preview for product in imaged.products)


def test_a_second_time_gives_the_same_bytes(tmp_path, delivered):
    request = make_request(tmp_path, carried=delivered)
    first = accompany(request, make_imaged(request), FACTS)
    before = {
        row.path: (tmp_path / row.path).read_bytes() for row in rows(first).values() if row.path
    }
    again = accompany(request, make_imaged(request), FACTS)
    assert again == first
    assert {path: (tmp_path / path).read_bytes() for path in before} == before


def test_the_manifest_is_read_as_a_delivered_one_is(done):
    request, imaged = done
    path = request.root / rows(imaged)["manifest"].path
    (ous,) = paperwork.read_manifest(path)
    assert (ous.name, ous.procedure) == ("uid___A001_X1_X2", "hifatargets")
    assert [(one.name, one.ebs) for one in ous.sessions] == [("s7", (EB,))]
    text = path.read_text()
    for row in rows(imaged).values():
        assert (f'name="{row.name}"' in text) == (row.state is MADE), row.name
    assert 'field="NGC &lt;1&gt;"' in text
    assert PLAN[1].files["pbcor"] not in text  # it was not made


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.tags, self.open = set(), set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        known = dict(attrs)
        self.links |= {known[key] for key in ("href", "src") if key in known}
        if "id" in known:
            self.ids.add(known["id"])


@pytest.fixture(scope="module")
def pages(site):
    return {path.name: Page(path.read_text()) for path in site.glob("*.html")}


def test_the_weblog_needs_nothing_but_itself(site, pages):
    assert sorted(pages) == ["calls.html", "images.html", "index.html", "steps.html"]
    for page in pages.values():
        assert "script" not in page.tags
        for link in page.links:
            file, _, anchor = link.partition("#")
            assert (site / unquote(file)).is_file(), link
            assert not anchor or unquote(anchor) in pages[file].ids, link
    css = (site / "style.css").read_text()
    assert "url(" not in css
    assert "@import" not in css


def test_the_weblog_tells_what_a_reader_looks_for(site):
    index, steps, images = (
        (site / f"{name}.html").read_text() for name in ("index", "steps", "images")
    )
    assert "2 of 3 made" in index
    assert "not made: all data &lt;flagged&gt; (NGC &lt;1&gt;.spw0.cont)" in index
    assert "not cleaned: no clean mask was found in it" in index
    assert "the delivery has none" in index
    assert steps.count("<svg") == 1
    assert "226.004000 to 226.020000 GHz" in steps
    assert images.count("<img") == 2
    assert "parameters of tclean" in images


def test_no_page_holds_a_target_s_name_unescaped(site, done):
    request, _ = done
    for path in site.glob("*.html"):
        text = path.read_text()
        assert "NGC <1>" not in text
        assert str(request.root) not in text


def test_calls_for_an_image_that_is_absent_are_not_replayed(tmp_path):
    request = make_request(tmp_path)
    absent = PLAN[1].basename
    with (request.directory / "make-0" / "calls.jsonl").open("a") as out:
        name = str(request.directory / "scratch" / absent)
        out.write(json.dumps(call("tclean", 14.0, vis=["a.ms"], imagename=name)) + "\n")
    log = rows(accompany(request, make_imaged(request), FACTS))["casa_commands"]
    said = (request.root / log.path).read_text()
    assert absent not in said
    assert PLAN[0].basename in said
