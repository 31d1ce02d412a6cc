"""From a step program to one C++ translation unit: a pure function.

Statements become loops over the lanes of a tile, without branches, so that the compiler can vectorise them. A port whose events act
one by one parts the loop in two, with a loop over the events between; what the second loop needs of the first is kept in arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from birc.backends import Artifact, Dtype
from birc.backends.c_family import C_TYPES, COUNTS, REALS, STORAGE, comment, doc_comment
from birc.backends.c_family.build import FLAGS, OPTIONAL
from birc.backends.c_family.headers import header
from birc.backends.c_family.layout import Layout, layout
from birc.backends.c_family.limits import turn_limits
from birc.backends.c_family.loops import CHAIN, LookupLoop, aliases, kept_names, loops_of
from birc.backends.c_family.quotients import turn_quotients
from birc.backends.c_family.resets import flag_left, part_resets
from birc.backends.c_family.shorten import shorten
from birc.backends.c_family.writer import Writer
from birc.backends.legality import expressions
from birc.backends.names import file_name
from birc.ir.expr import Expr, topo, value
from birc.ir.step import Deliver, Slot, Step

FIRST_CACHE = 40_000
"""Bytes of a tile that are sure to stay in the processor's first cache."""
MOST_DEFINITIONS = 10_000
"""Statements that a compiler takes in about half a minute."""
NARROW = 64
"""Neurons whose state may fit into registers. They advance together where nothing that comes to them changes from step to step; tables are
looked up for a whole tile even then, since all share what that loads."""
MANY = 32
"""Slots of one type in a row."""
SHORT = 100
"""Statements of a program that is compiled twice without making anyone wait."""
MOST_ARRAYS = 2000
"""Values of one neuron that a tile holds: more would not fit on the stack of a thread."""


def emit(step: Step, dtype: Dtype) -> Artifact:
    """`<name>.cpp`, which needs nothing but a C++17 compiler."""
    name = file_name(step.name)
    short = shorten(turn_limits(turn_quotients(step)))
    places = layout(short)
    loops = loops_of(short, CHAIN)
    kept = kept_names(loops)
    parts, resets = part_resets(loops, places.binds)
    writer = Writer(short, places, aliases(loops), REALS[dtype], lane="[lane]", flag=flag_left(parts, resets))
    shared = ["birc_types.h", "birc_spikes.h", "birc_math.h", *(["birc_random.h"] if places.noises else [])]
    shared += ["birc_tables.h"] if places.tables else []
    own = ["birc_frame.h", *(["birc_lookup.h"] if places.tables else [])]
    tile = lanes(_arrays(places, kept), dtype)
    narrow = None if sum(1 for _ in short.statements()) > SHORT else tile if places.tables else NARROW
    text = (
        _environment()
        .get_template("model.cpp.j2")
        .render(
            title=comment(step.name),
            command=" ".join(("c++", *FLAGS, *(group[0] for group in OPTIONAL), f"{name}.cpp", "-o", f"{name}.so")),
            doc=doc_comment(step.doc),
            real=REALS[dtype],
            count=COUNTS[dtype],
            headers=[*(header(name) for name in shared), *(header(name, "birc.backends.native") for name in own)],
            places=places,
            normals=[(f"{noise.name}:{lane}", i, lane) for i, noise in enumerate(step.noises) for lane in range(noise.lanes)],
            kept=sorted(kept),
            loops=[writer.loop(part, kept) for part in parts],
            resets=resets and writer.neuron_loop(resets, kept),
            raised=bool(resets and resets.fired),
            nowhere=any(isinstance(part, LookupLoop) and not kept.issuperset(part.lookup.results) for part in loops),
            lanes=tile,
            narrow=narrow,
            payloads=list(writer.payloads.values()),
            silences=_only_added(short),
            types=C_TYPES,
            runs=list(_runs(places.slots, writer.names)),
            kept_types={**C_TYPES, "bool": "count"},  # loops over arrays of bool stay scalar
            c=writer.names,
        )
    )
    return Artifact("native", step, dtype, {f"{name}.cpp": text}, {"compiler_flags": [*FLAGS, *(group[0] for group in OPTIONAL)]})


@dataclass(frozen=True)
class _Run:
    """A slot, or so many of one type in a row that a loop over them is quicker to compile than a line for each."""

    storage: str
    slot: str
    at: str
    each: str = ""


def _runs(slots: Sequence[Slot], names: Mapping[str, str]) -> Iterator[_Run]:
    """The slots in their order, which is that of their arrays and of the members of `slots`."""
    first = 0
    for kind, group in groupby(slots, lambda slot: slot.kind):
        same = list(group)
        if len(same) < MANY:
            yield from (_Run(STORAGE[kind], f"slots.{names[slot.name]}", str(first + i)) for i, slot in enumerate(same))
        else:
            yield _Run(STORAGE[kind], f"(&slots.{names[same[0].name]})[i]", f"{first} + i", f"for (int i = 0; i < {len(same)}; i++) ")
        first += len(same)


def _only_added(step: Step) -> bool:
    """Whether payloads are only added to something, as they are or times a literal, so that tiles without events can leave them out.

    Times a parameter, which may be infinite, nothing need not stay nothing.
    """
    payloads = {value(s.payload) for _, s in step.statements() if isinstance(s, Deliver) and s.summing}
    roots = [e for _, statement in step.statements() for e, _ in expressions(statement)]
    uses = [e for e in topo(*roots) if payloads.intersection(e.args)]
    return bool(payloads) and all(e.op in ("add", "sub", "neg") or (e.op in ("mul", "fma") and _by_literal(e, payloads)) for e in uses)


def _by_literal(e: Expr, payloads: set[Expr]) -> bool:
    """Whether a product of a payload is one with a literal; the third argument of `fma` is added."""
    factors = set(e.args[:2])
    return not factors & payloads or any(a.op == "const" for a in factors)


def _arrays(places: Layout, kept: frozenset[str]) -> int:
    """How many values of a neuron a tile holds at a time, at most."""
    groups = (places.binds, places.slots, places.inputs, places.events, places.outputs, kept, *(table.functions for table in places.tables))
    return sum(map(len, groups)) + 2


def lanes(arrays: int, dtype: Dtype) -> int:
    """Neurons in a tile: as many as the first cache holds, from 64 to 256."""
    width = 8 if dtype == "f64" else 4
    return next((n for n in (256, 128) if arrays * width * n <= FIRST_CACHE), NARROW)


def too_large(step: Step) -> str | None:
    """Why a program is too large for this target, if it is."""
    short = shorten(turn_limits(turn_quotients(step)))
    definitions = sum(1 for _ in short.statements())
    if definitions > MOST_DEFINITIONS:
        return f"the program has {definitions} statements; the native target takes {MOST_DEFINITIONS}"
    arrays = _arrays(layout(short), kept_names(loops_of(short, CHAIN)))
    if arrays > MOST_ARRAYS:
        return f"the program holds {arrays} values of each neuron at a time; the native target has room for {MOST_ARRAYS}"
    return None


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("birc.backends.native"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
