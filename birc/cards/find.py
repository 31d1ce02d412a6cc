"""The models of the library, by family and by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from birc.errors import BircError
from birc.ir.expr import Expr, const
from birc.ir.model import Item, Model, Network
from birc.sources import Loaded, library, load
from birc.suggest import closest, meant
from birc.units import NAMES, over, power

FAMILIES = (
    "linear integrate-and-fire",
    "nonlinear integrate-and-fire",
    "conductance-based",
    "reduced, without reset",
    "maps",
    "without spikes",
    "channels",
    "synapses",
    "networks",
    "other",
)
"""The families in the order in which they are listed; a model's own structure says to which it belongs."""

_CONDUCTANCE = NAMES["nS"].dimension
_CONDUCTANCES = (_CONDUCTANCE, over(_CONDUCTANCE, power(NAMES["um"].dimension, 2)))


@dataclass(frozen=True)
class Found:
    """A model of the library, or of a user's file, with the preset that was asked for."""

    file: str
    loaded: Loaded
    item: Item
    preset: str | None = None

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return (getattr(self.item, "doc", None) or "").strip().partition("\n")[0]

    @property
    def kind(self) -> str:
        """`neuron`, `channel`, `synapse` … or the class of what is no model."""
        return str(getattr(self.item, "kind", type(self.item).__name__.lower()))

    @property
    def family(self) -> str:
        """One of `FAMILIES`."""
        return family_of(self.item)


def family_of(item: Item) -> str:
    """To which family a model belongs, by how it moves and fires."""
    if not isinstance(item, Model):
        return "networks" if isinstance(item, Network) else "other"
    if item.kind != "neuron":
        return {"channel": "channels", "synapse": "synapses"}.get(item.kind, "other")
    if item.step_rules and not item.odes:
        return "maps"
    if item.spike is None:
        return "without spikes"
    if item.spike.body or item.refractory:
        return "linear integrate-and-fire" if _linear(item) else "nonlinear integrate-and-fire"
    conducts = any(p.unit.dimension in _CONDUCTANCES for p in item.params)
    return "conductance-based" if item.uses or conducts or any(s.gate for s in item.states) else "reduced, without reset"


def _linear(model: Model) -> bool:
    from birc.passes.classify_odes import run
    from birc.passes.inline_channels import run as channels
    from birc.passes.inline_functions import run as functions
    from birc.passes.inline_lets import run as lets

    silent = replace(model, odes=tuple(replace(o, rhs=_without_noise(o.rhs, model)) for o in model.odes))
    return all(block.linearity in ("constant", "linear") for block in run(lets(functions(channels(silent)))).blocks)


def _without_noise(rhs: Expr, model: Model) -> Expr:
    from birc.ir.expr import substitute, var

    return substitute(rhs, {var(noise.name): const(0.0) for noise in model.noises})


def entries(file: str | None = None) -> list[Found]:
    """Every item of the library, or of one of its files, in the order of files."""
    found = []
    for name in library() if file is None else [file]:
        loaded = load(name)
        own = [item for item in loaded.module.items if item.span is None or item.span.source is loaded.source]
        found += [Found(name, loaded, item) for item in own]
    return found


def find(name: str) -> list[Found]:
    """The model called `name`, as in `Izhikevich` or `Izhikevich.FS`, or the neurons of a file of the library, as in `lif`.

    Raises A005 for a name that the library does not have, A012 for a preset that the model does not have.
    """
    wanted, _, preset = name.partition(".")
    everything = entries()
    chosen = [found for found in everything if found.item.name == wanted]
    if not chosen:
        inside = [found for found in everything if found.file == wanted]
        chosen = [found for found in inside if found.kind != "channel"] or inside
    if not chosen:
        near = closest(wanted, [*(found.file for found in everything), *(found.item.name for found in everything)])
        help = f"did you mean `{near}`?" if near else "`birc models` lists it"
        raise BircError("A005", f"there is no model `{wanted}` in the library", help=help)
    if not preset:
        return chosen
    for found in chosen:
        known = {p.name for p in getattr(found.item, "presets", ())}
        if preset in known:
            return [replace(found, preset=preset)]
    presets = list(dict.fromkeys(p.name for found in chosen for p in getattr(found.item, "presets", ())))
    raise BircError("A012", f"`{chosen[0].item.name}` has no preset `{preset}`", help=meant(preset, presets, "presets"))
