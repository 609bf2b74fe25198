"""What is written for people holds: commands parse, files and links exist, tables agree with their data."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from reimage import settings
from reimage.casa import environments
from reimage.cli import references, root
from reimage.errors import CODES
from reimage.triage.catalogue import load_classes

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "ops" / "guide"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted(GUIDE.rglob("*.md")),
]
DECISIONS = sorted((ROOT / "ops" / "decisions").glob("*.md"))
UNIT = ROOT / "ops" / "systemd" / "reimage-controller.service"
PROGRAM = re.compile(r"^(?:\S*/)?reimage$")
_TARGETS = re.compile(r"^([a-z-]+):", re.MULTILINE)
_INLINE = re.compile(r"`((?:reimage|make) [^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(
    r"`((?:ops|tests|reimage|fixes|categories|migrations|\.ci)/[\w./-]+|[A-Z]+\.md|Makefile)`"
)


def ids(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


def typed(page):
    """Return the command lines of a page: those of its console blocks, and those within sentences."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines), "a console block shows what is typed"
    return [line.removeprefix("$ ") for line in lines], _INLINE.findall(text)


def words_of(line):
    """Split a command line as a shell does, up to what follows the program."""
    words = shlex.split(line, comments=True)
    ends = [number for number, word in enumerate(words) if word in {"|", ">", "&&", ";"}]
    return words[: ends[0]] if ends else words


def parse(command, words, parent=None, name="reimage"):
    """Have the command line parse words, verb by verb, without carrying anything out."""
    for option in command.params:
        option.callback = None  # --install-completion would be carried out
    context = command.make_context(name, list(words), parent=parent)
    rest = [*context._protected_args, *context.args]
    if hasattr(command, "commands") and rest:
        verb, below, rest = command.resolve_command(context, rest)
        assert below is not None, f"no verb {verb!r}"
        parse(below, rest, context, verb)


def is_understood(line, *, whole):
    """Whether the program knows it; one within a sentence may leave arguments out."""
    program, *words = words_of(line)
    if program == "make":
        return set(words) <= set(_TARGETS.findall((ROOT / "Makefile").read_text()))
    if not PROGRAM.match(program) or not words:
        return True
    try:
        parse(root.command(), words)
    except Exception as error:
        name = type(error).__name__
        lacks = name in {"MissingParameter", "NoArgsIsHelpError"} and not whole
        if not lacks and name != "Exit":  # --help answers at once
            raise AssertionError(f"{line}: {name}: {error}") from error
    return True


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_command_of_a_page_can_be_typed(page):
    blocks, inline = typed(page)
    assert [line for line in blocks if not is_understood(line, whole=True)] == []
    assert [line for line in inline if not is_understood(line, whole=False)] == []


def test_commands_that_do_not_exist_are_noticed():
    """The check itself can fail."""
    for line in ("reimage nonesuch", "reimage status --nonesuch", "reimage db nonesuch"):
        with pytest.raises(AssertionError):
            is_understood(line, whole=True)
    with pytest.raises(AssertionError):
        is_understood("reimage show", whole=True)
    assert is_understood("reimage show", whole=False)
    assert not is_understood("make nonesuch", whole=True)


def test_every_command_of_a_hint_can_be_typed():
    references.load_all()
    ours = [error for error in CODES.values() if error.__module__.startswith("reimage.")]
    hints = {error.code: error.hint for error in ours}
    hints |= {one.id: one.advice + one.meaning for one in load_classes()}
    told = [line for hint in hints.values() for line in _INLINE.findall(hint)]
    assert len(told) > 20
    assert [line for line in told if not is_understood(line, whole=False)] == []


def test_the_service_unit_starts_what_there_is():
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    assert is_understood(line, whole=True)
    assert PROGRAM.match(line.split()[0])


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_link_and_every_file_that_is_named_exists(page):
    text = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in _LINK.findall(text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []
    # CONTRIBUTING and the contributor's page name files that somebody is about to write.
    named = [path for path in _PATH.findall(text) if not (ROOT / path).exists()]
    assert [path for path in named if "globals_has_key" not in path] == []


def test_the_guide_can_be_built(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    options = ["--config-file", "ops/guide/mkdocs.yml", "--site-dir", str(tmp_path / "site")]
    made = subprocess.run(
        [*command, *options], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "site" / "operator.html").is_file()


@pytest.mark.parametrize("decision", DECISIONS, ids=ids(DECISIONS))
def test_a_decision_has_its_number_and_its_day(decision):
    title, blank, day, *_ = decision.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+", decision.stem)
    assert title.startswith(f"# {decision.stem[:4]} ")
    assert (blank, bool(re.fullmatch(r"20\d\d-\d\d-\d\d", day))) == ("", True)


def test_decisions_are_numbered_in_order():
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_table_of_builds_is_the_one_that_installs():
    text = (GUIDE / "administrator.md").read_text(encoding="utf-8")
    table = text.partition("<!-- builds: begin")[2].partition("<!-- builds: end")[0]
    rows = re.findall(r"^\| ([\d.]+) \| ([\d.]+) \| (yes|no)", table, re.MULTILINE)
    known = environments.installable()
    assert rows == [(one.version, one.python, "no" if one.broken else "yes") for one in known]


def examples_of_settings():
    yield pytest.param((ROOT / "ops" / "reimage.toml.example").read_text(), id="the example")
    for page in PAGES:
        blocks = re.findall(r"```toml\n# reimage.toml\n(.*?)```", page.read_text(), re.DOTALL)
        yield from (pytest.param(block, id=page.stem) for block in blocks)


@pytest.mark.parametrize("text", list(examples_of_settings()))
def test_examples_of_settings_can_be_used(tmp_path, text):
    path = tmp_path / "reimage.toml"
    path.write_text(text)
    loaded = settings.load(path, environ={}, cwd=tmp_path)
    assert set(tomllib.loads(text)) <= set(type(loaded).model_fields)
    assert loaded.fixes == (tmp_path / "site" / "fixes",)
