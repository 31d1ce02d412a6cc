"""The Python of `docs/results.md` runs as it stands, one block after the other, and its table of statistics is complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import birc.analysis

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "results.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_runs(tmp_path: Path) -> None:
    for name in ("pandas", "xarray", "neo", "pynwb", "h5py"):
        pytest.importorskip(name)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "".join(BLOCKS)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.npz", "out.nwb", "spikes"]


def test_statistics_run_without_other_packages(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", BLOCKS[0] + BLOCKS[-1]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Summary(n=50, ")


def test_every_statistic_is_listed() -> None:
    functions = {name for name in birc.analysis.__all__ if name[0].islower()}
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([a-z_0-9]+)`", row)} - {"npz", "csv", "nwb", "sonata"} == functions
