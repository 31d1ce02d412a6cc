"""Imports point down: errors <- ir <- {passes, frontend, backends} <- {sources, checks, runtime, driver, …} <- {analysis, nn} <- cli."""

from __future__ import annotations

import ast
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from birc.backends import BACKENDS

ROOT = Path(__file__).parent.parent
FOLDERS = {"birc": ROOT / "birc", "birc.frontend": ROOT / "frontend", "birc.backends": ROOT / "backends"}

# Layers from the bottom. What stands in one tuple may import one another only if it is in MUTUAL.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("birc.errors", "birc.units", "birc.suggest", "birc.codes"),
    ("birc.ir",),
    ("birc.passes", "birc.frontend", "birc.backends"),
    (
        "birc.approximations",
        "birc.cards",
        "birc.checks",
        "birc.conformance",
        "birc.driver",
        "birc.emission",
        "birc.exact",
        "birc.explained",
        "birc.fused",
        "birc.lowering",
        "birc.networks",
        "birc.patterns",
        "birc.runtime",
        "birc.solvable",
        "birc.sources",
        "birc.stiffness",
        "birc.tabulation",
        "birc.verification",
    ),
    ("birc.analysis",),
    ("birc.nn",),
    ("birc.cli",),
)
SEPARATE = {"birc.passes", "birc.frontend", "birc.backends"}
LATE = {
    *("h5py", "hdmf", "keras", "matplotlib", "neo", "nir", "onnx", "onnxruntime", "pandas", "pynwb", "quantities", "rich", "scipy"),
    *("tensorflow", "torch", "xarray"),
}


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package, with its file; the links are not followed."""
    for package, folder in FOLDERS.items():
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            if package == "birc" and parts[0] in ("frontend", "backends"):
                continue
            name = ".".join((package, *parts)).removesuffix(".__init__")
            yield name, file


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The modules named in import statements, with their lines; those for the type checker only are left out."""
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module, node.lineno
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def home(module: str) -> tuple[int, str] | None:
    """The layer of a module and the entry it belongs to."""
    for rank, layer in enumerate(LAYERS):
        for entry in layer:
            if module == entry or module.startswith(entry + "."):
                return rank, entry
    return None


MODULES = dict(modules())


def test_every_module_has_a_layer() -> None:
    assert [name for name in MODULES if home(name) is None and name not in ("birc", "birc.__main__")] == []


def test_imports_point_down() -> None:
    wrong = []
    for name, file in MODULES.items():
        own = home(name)
        if own is None:
            continue
        for target, line in imports(ast.parse(file.read_text("utf-8"))):
            other = home(target)
            if other is None:
                continue
            apart = other[1] != own[1] and own[1] in SEPARATE and other[1] in SEPARATE
            if other[0] > own[0] or apart:
                wrong.append(f"{name}:{line} imports {target}")
    assert wrong == []


def test_targets_do_not_import_one_another() -> None:
    targets = {module.split(".")[2] for module in BACKENDS.values()}
    wrong = []
    for name, file in MODULES.items():
        parts = name.split(".")
        if parts[:2] != ["birc", "backends"] or len(parts) < 3 or parts[2] not in targets:
            continue
        for target, line in imports(ast.parse(file.read_text("utf-8"))):
            other = target.split(".")
            if other[:2] == ["birc", "backends"] and len(other) > 2 and other[2] in targets - {parts[2]}:
                wrong.append(f"{name}:{line} imports {target}")
    assert wrong == []


def test_heavy_packages_are_imported_where_they_are_used() -> None:
    wrong = []
    for name, file in MODULES.items():
        if name.startswith(
            ("birc.nn.", "birc.fused.on_", "birc.fused.product_on_", "birc.fused.xla")
        ):  # imported by those who want Keras, and its engine
            continue
        tree = ast.parse(file.read_text("utf-8"))
        top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        wrong += [f"{name}:{line} imports {target}" for target, line in imports(top) if target.split(".")[0] in LATE]
    assert wrong == []


def test_imports_are_absolute() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name, file in MODULES.items()
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] in ("frontend", "backends"))
    ]
    assert wrong == []


@pytest.mark.parametrize("module", ["birc", "birc.errors", "birc.cli"])
def test_import_is_light(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('numpy', 'jinja2', 'lark', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_public_names_are_what_they_say() -> None:
    import birc
    import birc.driver

    assert [name for name in birc.__all__ if isinstance(getattr(birc, name), types.ModuleType)] == []
    assert set(birc.__all__) <= set(dir(birc))
    with pytest.raises(AttributeError, match="no attribute 'compil'"):
        _ = birc.compil
