"""All steps of a layer at once: one C++ unit that runs a step program over time, forwards and backwards.

Neurons advance in groups of lanes whose state stays in the first cache. Backwards the run is repeated from marks, so that nothing is kept
of it but what came in: of `SEGMENT` steps at a time the states are computed once more, and the adjoint program goes through them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from birc.backends.c_family import C_TYPES, comment
from birc.backends.c_family.headers import header
from birc.backends.c_family.layout import Layout, layout
from birc.backends.c_family.loops import aliases, kept_names, loops_of
from birc.backends.c_family.quotients import turn_quotients
from birc.backends.c_family.shorten import shorten
from birc.backends.c_family.writer import Writer
from birc.ir.expr import leaves
from birc.ir.step import Step
from birc.ir.surrogates import Surrogate
from birc.passes import adjoint, dead_code, dense_events
from birc.passes.adjoint import BAR, SPIKE

LANES = 64
"""Neurons that advance together."""
SEGMENT = 64
"""Steps whose states are held at a time, on the way back."""
FUNCTIONS = 3
"""Exponentials and their like in one loop."""


@dataclass(frozen=True)
class Part:
    """One of the two programs, ready for the template."""

    places: Layout
    c: dict[str, str]
    kept: tuple[str, ...]
    loops: tuple[dict[str, object], ...]


@dataclass(frozen=True, eq=False)
class Kernel:
    """The text, and the order in which values cross: ports, slots, bind values, and what is seen (`spikes`, real slots, outputs).

    `kinds` are those of slots, `wanted` are the bind values whose derivatives come back.
    """

    text: str
    inputs: tuple[str, ...]
    slots: tuple[str, ...]
    bind: tuple[str, ...]
    kinds: tuple[str, ...]
    seen: tuple[str, ...]
    wanted: tuple[str, ...]
    defaults: dict[str, float]
    """Of bind values of the surrogate."""


def takes(step: Step) -> bool:
    """Whether a program can be run at once: without noise, whose numbers the framework draws, and without tables."""
    return not step.noises and not step.tables and bool(step.inputs or step.events)


def emit(step: Step, surrogate: Surrogate, detach_reset: bool, wanted: frozenset[str]) -> Kernel:
    """The unit of a program that `takes` says yes to."""
    forward = dead_code.run(dense_events.run(step))
    backward = adjoint.run(step, surrogate, detach_reset, wanted)
    ahead, back = _part(forward), _part(backward)
    bind = tuple(dict.fromkeys((*ahead.places.binds, *back.places.binds)))
    real = tuple(slot.name for slot in forward.slots if slot.kind == "real")
    seen = ("spikes", *real, *(port.name for port in forward.outputs))
    sums = tuple(s.name.removesuffix(BAR) for s in backward.slots if s.name.endswith(BAR) and s.name.removesuffix(BAR) not in real)
    names = {
        "inputs": tuple(port.name for port in forward.inputs),
        "slots": tuple(slot.name for slot in forward.slots),
        "bind": bind,
        "seen": seen,
        "wanted": sums,
    }
    text = (
        _environment()
        .get_template("fused.cpp.j2")
        .render(
            title=comment(step.name),
            headers=[header(name) for name in ("birc_types.h", "birc_math.h")],
            lanes=LANES,
            segment=SEGMENT,
            parts=(("forward", ahead), ("adjoint", back)),
            real=real,
            bar=BAR,
            spike=SPIKE,
            types=C_TYPES,
            kept_types={**C_TYPES, "bool": "count"},
            outputs=tuple(port.name for port in forward.outputs),
            **names,
        )
    )
    defaults = {d.name: float(d.value.attr or 0) for d in backward.bind if d.name.startswith("surrogate.")}
    return Kernel(text, kinds=tuple(slot.kind for slot in forward.slots), defaults=defaults, **names)


def _part(step: Step) -> Part:
    short = shorten(turn_quotients(step))
    places = layout(short)
    loops = loops_of(short, FUNCTIONS)
    kept = kept_names(loops)
    writer = Writer(short, places, aliases(loops), "float", lane="[lane]")
    return Part(places, dict(writer.names), tuple(sorted(kept)), tuple(writer.loop(part, kept) for part in loops))


def learned_below(step: Step, learned: frozenset[str]) -> frozenset[str]:
    """The bind values that depend on parameters."""
    found: set[str] = set()
    for d in step.bind:
        if leaves(d.value, "param") & learned or leaves(d.value, "value") & found:
            found.add(d.name)
    return frozenset(found)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("birc.backends.fused"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
