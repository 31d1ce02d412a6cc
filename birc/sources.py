"""From a path or a library name to a checked module."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from birc.errors import BircError, Diagnostic, Source
from birc.frontend import load as frontend
from birc.frontend.read import read_source
from birc.ir.model import Cell, Check, Item, Model, Module, Network
from birc.ir.step import Step
from birc.suggest import closest


@dataclass(frozen=True)
class Loaded:
    """A file, read and checked. A `.bir` file may hold a step program instead of a module."""

    source: Source
    module: Module
    warnings: tuple[Diagnostic, ...] = ()
    step: Step | None = None


def library() -> list[str]:
    """The names of the library's files."""
    folder = resources.files("birc").joinpath("library")
    return sorted(Path(f.name).stem for f in folder.iterdir() if f.name.endswith(".birc"))


def neuron_files() -> list[str]:
    """The names of the library's files that stand for a neuron: those without a network that hold one."""
    chosen = {name: choose(load(name), None)[0] for name in library()}
    return [name for name, item in chosen.items() if isinstance(item, Model) and item.kind == "neuron"]


def find(file: str | Path) -> Source:
    """The source of a path, or of a library name such as `lif`. Raises I001."""
    name = str(file)
    if Path(name).suffix or "/" in name or Path(name).exists():
        return read_source(file)
    if name in library():
        path = resources.files("birc").joinpath("library", f"{name}.birc")
        return Source(f"{name}.birc", path.read_text("utf-8"))
    near = closest(name, library())
    help = f"did you mean `{near}`, of the library?" if near else "`birc models` lists the library"
    raise BircError("I001", f"there is no file {name}, and no library model of that name", help=help)


def load(file: str | Path | Loaded) -> Loaded:
    """Read and check a file; raises a BircError that holds all its mistakes."""
    if isinstance(file, Loaded):
        return file
    source = find(file)
    return _load_ir(source) if source.name.endswith(".bir") else read(source)


def read(source: Source) -> Loaded:
    """The same for a text at hand."""
    module, diagnostics = frontend.load_partial(source)
    errors = [d for d in diagnostics if d.severity == "error"]
    if errors or module is None:
        raise BircError.of(errors)
    return Loaded(source, module, tuple(diagnostics))


def _load_ir(source: Source) -> Loaded:
    """The items of a `.bir` file, which must keep the invariants of the IR. Raises S2… codes."""
    from birc.ir.check import InvariantError, check_model, check_step
    from birc.ir.text import read_bir

    found = read_bir(source)
    items = tuple(i for i in found if isinstance(i, (Model, Cell, Network)))
    checks = tuple(i for i in found if isinstance(i, Check))
    step = next((i for i in found if isinstance(i, Step)), None)
    try:
        for item in items:
            if isinstance(item, Model):
                check_model(item)
        if step is not None:
            check_step(step)
    except InvariantError as broken:
        raise BircError("S209", f"this IR breaks a rule: {broken}", help="`birc dump` writes IR that keeps them all") from None
    return Loaded(source, Module(items, checks), (), step)


def choose(loaded: Loaded, name: str | None) -> tuple[Item, str | None]:
    """The item called `name` (`Izhikevich.FS`: with a preset); without a name the last network, else neuron, else item."""
    items = {i.name: i for i in loaded.module.items}
    wanted, _, preset = (name or "").partition(".")
    if name is None:
        if not items:
            raise BircError("A011", f"{loaded.source.name} holds no model")
        rank = {"neuron": 2, "astrocyte": 1}

        def worth(item: Item) -> int:
            return 3 if isinstance(item, Network) else rank.get(getattr(item, "kind", ""), 0)

        best = max(map(worth, items.values()))
        return [i for i in items.values() if worth(i) == best][-1], None
    if wanted not in items:
        near = closest(wanted, items)
        help = f"did you mean `{near}`?" if near else f"it holds: {', '.join(items)}"
        raise BircError("A011", f"{loaded.source.name} holds no model `{wanted}`", help=help)
    return items[wanted], preset or None
