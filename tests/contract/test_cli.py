"""Every verb is there, explains itself, has examples that parse, and speaks JSON if it reads."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from reimage.cli import main, references, root
from reimage.errors import CODES
from reimage.triage.catalogue import load_classes

NO_JSON = {
    *("db upgrade", "db rebuild", "db sql", "casa install", "casa register"),
    *("cancel", "controller", "demo build", "demo run", "docs", "archive serve"),
}
"""Verbs that do something and are not asked for data."""


def commands():
    for verb in root.VERBS:
        command = root.load(verb)
        below = getattr(command, "commands", None)
        if below is None or command.invoke_without_command:
            yield verb, command
        yield from ((f"{verb} {name}", one) for name, one in (below or {}).items())


COMMANDS = dict(commands())


@pytest.mark.parametrize("verb", root.VERBS)
def test_the_listed_line_is_the_first_line_of_help(verb):
    assert root.load(verb).help.splitlines()[0] == root.VERBS[verb]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_help_and_an_example_of_itself(path):
    command = COMMANDS[path]
    assert len(command.help.splitlines()[0]) > 10
    assert f"reimage {path}" in command.epilog


def examples():
    for path, command in COMMANDS.items():
        for line in command.epilog.split("\n\n"):
            if line.startswith("reimage "):
                yield pytest.param(line, id=f"{path}: {line}")


@pytest.mark.parametrize("line", list(examples()))
def test_every_example_parses(line):
    words = shlex.split(line.partition(" > ")[0])[1:]
    verb = words.pop(0)
    command = root.load(verb)
    if words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    context = command.make_context(verb, words)
    assert context.command is command


@pytest.mark.parametrize("path", sorted(COMMANDS.keys() - NO_JSON))
def test_every_reader_takes_json(path):
    options = {option for parameter in COMMANDS[path].params for option in parameter.opts}
    assert "--json" in options


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_is_explained(path):
    unexplained = [p.name for p in COMMANDS[path].params if p.name != "help" and not p.help]
    assert not unexplained


def asked_by_bash(line, home):
    """Return the variables by which bash asks what may follow."""
    return {
        "HOME": str(home),
        "_REIMAGE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }


def test_a_shell_starts_the_program_to_complete(tmp_path):
    environment = {"PATH": os.environ["PATH"], **asked_by_bash("reimage fail", tmp_path)}  # noqa: TID251 -- of a child
    command = [sys.executable, "-m", "reimage"]
    said = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["failures"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("reimage casa pro", ["probe"]),
        ("reimage classes show archive-file-d", ["archive-file-damaged"]),
        ("reimage run x --recipe hifat", ["hifatargets-2017"]),
    ],
)
def test_shell_completion(line, found, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, value in asked_by_bash(line, tmp_path).items():
        monkeypatch.setenv(name, value)
    assert main([]) == 0
    assert capsys.readouterr().out.split() == found


def test_help_needs_no_database(tmp_path):
    program = "import sys; from reimage.cli import main; main(['--help']); print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = said.stdout.splitlines()[-1].split()
    assert not {"sqlalchemy", "astropy", "matplotlib"} & set(loaded)


def advised():
    """Commands that hints and advice name."""
    references.load_all()
    said = {f"error {code}": kind.hint for code, kind in CODES.items()}
    said |= {f"class {one.id}": one.advice for one in load_classes()}
    for where, text in said.items():
        for line in re.findall(r"`reimage ([^`]+)`", text):
            yield pytest.param(" ".join(line.split()), id=f"{where}: {line}")


@pytest.mark.parametrize("line", list(advised()))
def test_what_hints_and_advice_name_is_there(line):
    verb, *rest = line.split()
    command = root.load(verb)
    below = getattr(command, "commands", {})
    if below and rest and rest[0] != "..." and not rest[0].startswith("--"):
        assert rest[0] in below
        command = below[rest[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= known
