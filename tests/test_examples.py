"""Every example runs; every example model checks, is in form, and agrees on all targets that can run here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from birc import driver, sources
from birc.frontend.format import format_text

FOLDER = Path(__file__).parent.parent / "examples"
MODELS = sorted(FOLDER.glob("*.birc"))
SCRIPTS = sorted(FOLDER.glob("*.py"))
NAMES = [path.name for path in MODELS]
NEEDS = {"keras_digits.py": ("keras", "sklearn"), "stdp_layer.py": ("keras",)}
"""Packages beyond those of birc, by example."""
ARGUMENTS = {"demo.py": ["lif"]}
"""What keeps a script short here."""
SAYS = {
    "stdp_layer.py": r"before learning: \d+% of 46 volleys answered, [1-4]\d% of \d+ spikes are answers\n"
    r"after learning: (9\d|100)% of 46 volleys answered, (9\d|100)% of \d+ spikes are answers\n"
}
"""What a script prints."""


@pytest.mark.parametrize("file", MODELS, ids=NAMES)
def test_model_is_without_fault(file: Path) -> None:
    loaded = sources.load(file)
    assert loaded.warnings == ()
    assert format_text(loaded.source) == loaded.source.text
    assert [str(result.diagnostic) for result in driver.check(loaded) if result.diagnostic is not None] == []


@pytest.mark.parametrize("file", [file for file in MODELS if file.name != "network.birc"], ids=lambda file: file.name)
def test_model_agrees_on_all_targets(file: Path) -> None:
    reports = driver.verify(file)
    assert reports
    refused = {report.target for report in reports if report.status == "refused"}
    assert refused <= {"nir"}  # which has nodes for linear models only
    assert [report for report in reports if report.status not in ("pass", "unavailable", "refused")] == []


def test_the_network_agrees_with_the_interpreter() -> None:
    file = FOLDER / "network.birc"
    assert "Plastic" in driver.dump(file, "model")
    (report,) = driver.verify(file, ["numpy"], duration="20 ms")
    assert (report.model, report.status, report.level) == ("Plastic", "pass", "L0")


@pytest.mark.slow
@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_script_runs(file: Path, tmp_path: Path) -> None:
    lacking = [name for name in NEEDS.get(file.name, ()) if find_spec(name) is None]
    if lacking:
        pytest.skip(f"needs {' and '.join(lacking)}")
    done = subprocess.run(
        [sys.executable, str(file), *ARGUMENTS.get(file.name, [])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(FOLDER.parent)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    assert re.search(SAYS.get(file.name, ""), done.stdout), done.stdout
