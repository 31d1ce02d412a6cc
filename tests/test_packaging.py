"""What is packaged is what stands in the tree."""

from __future__ import annotations

import tomllib
import warnings
import zipfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from setuptools import build_meta

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FOLDERS = {"birc": ROOT / "birc", "birc.frontend": ROOT / "frontend", "birc.backends": ROOT / "backends"}
DATA = (".h", ".json", ".lark", ".md", ".birc", ".j2", ".typed")


def package_folders() -> dict[str, Path]:
    """Every package of the tree, by its import name."""
    found = {}
    for package, folder in FOLDERS.items():
        for file in folder.rglob("*.py"):
            parts = file.parent.relative_to(folder).parts
            if package == "birc" and parts and parts[0] in ("frontend", "backends"):
                continue
            found[".".join((package, *parts))] = file.parent
    return found


def test_every_package_is_listed() -> None:
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(package_folders())


def test_every_package_has_an_init() -> None:
    assert [name for name, folder in package_folders().items() if not (folder / "__init__.py").exists()] == []


def test_links_lead_to_the_folders() -> None:
    for name in ("frontend", "backends"):
        link = ROOT / "birc" / name
        assert link.is_symlink()
        assert str(link.readlink()) == f"../{name}"


def test_every_data_file_is_packaged() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    packages = package_folders()
    missing = []
    for folder in FOLDERS.values():
        for file in folder.rglob("*"):
            if (file.suffix not in DATA and file.name != "py.typed") or "__pycache__" in file.parts:
                continue
            owner = max((p for p in packages.values() if p in file.parents), key=lambda p: len(p.parts))
            if not any(fnmatch(str(file.relative_to(owner)), pattern) for pattern in patterns):
                missing.append(str(file))
    assert missing == []


def test_the_light_install_is_light() -> None:
    names = {line.split(">")[0] for line in PROJECT["project"]["dependencies"]}
    assert names == {"jinja2", "numpy", "rich"}


def test_constraints_pin_every_direct_dependency() -> None:
    lines = (ROOT / "constraints" / "test.txt").read_text("utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if "==" in line}
    wanted = {
        line.split(">")[0]
        for group in (PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values())
        for line in group
        if not line.startswith("birc[")
    }
    assert wanted <= pinned


@pytest.mark.slow
def test_the_wheel_holds_birc_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "tree"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    for package, folder in FOLDERS.items():
        for file in folder.rglob("*"):
            inside = file.relative_to(ROOT)
            linked = package == "birc" and inside.parts[1] in ("frontend", "backends")
            if file.is_file() and not linked and "__pycache__" not in file.parts:
                (copy / inside).parent.mkdir(parents=True, exist_ok=True)
                (copy / inside).write_bytes(file.read_bytes())
    monkeypatch.chdir(copy)
    with warnings.catch_warnings():  # of setuptools, which would rather see folders of data as packages
        warnings.simplefilter("ignore")
        wheel = tmp_path / build_meta.build_wheel(str(tmp_path))
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"birc"}
    for name in ("birc/py.typed", "birc/codes.md", "birc/library/lif.birc", "birc/frontend/birc.lark", "birc/backends/numpy/__init__.py"):
        assert name in names
