"""The README works when pasted: its model, its commands with the output shown, its Python."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from birc.backends import load_backend

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [(match[1], match[2]) for match in BLOCK.finditer(README)]


def commands() -> list[tuple[str, str]]:
    """Each command of the console blocks, with the output shown below it."""
    found = []
    for language, text in BLOCKS:
        if language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((command, output.rstrip("\n")))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the README's model in it."""
    model = next(text for language, text in BLOCKS if not language and text.startswith("# lif.birc"))
    (tmp_path / "lif.birc").write_text(model, "utf-8")
    return tmp_path


def run(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


def test_there_is_something_to_run() -> None:
    assert len(commands()) >= 3
    assert any(language == "python" for language, _ in BLOCKS)


@pytest.mark.parametrize(("command", "output"), commands())
def test_command_prints_what_is_shown(command: str, output: str, folder: Path) -> None:
    name, *arguments = shlex.split(command)
    assert name == "birc"
    if "native" in arguments and load_backend("native").missing() is not None:
        pytest.skip("needs a C++ compiler")
    assert run(["-m", "birc", *arguments], folder) == output


@pytest.mark.parametrize("text", [text for language, text in BLOCKS if language == "python"])
def test_python_runs(text: str, folder: Path) -> None:
    assert run(["-c", text], folder)


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_made_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stdout + done.stderr
