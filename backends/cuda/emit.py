"""From a step program to one CUDA translation unit and its C header: a pure function.

A thread takes one neuron through all steps, so that its state stays in registers and threads never wait for one another. The lines are
those of the other C-like targets.
"""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from birc.backends import Artifact, Dtype
from birc.backends.c_family import C_TYPES, COUNTS, REALS, STORAGE, comment, doc_comment
from birc.backends.c_family.headers import header
from birc.backends.c_family.layout import Layout, layout
from birc.backends.c_family.loops import EventLoop, aliases, loops_of
from birc.backends.c_family.quotients import turn_quotients
from birc.backends.c_family.shorten import shorten
from birc.backends.c_family.writer import Writer
from birc.backends.names import file_name
from birc.ir.step import Step

FLAGS = (
    "-std=c++17", "-O3", "-shared", "-Xcompiler", "-fPIC",
    "-fmad=false",  # no fused multiply-add that the program does not name
    "-prec-div=true", "-prec-sqrt=true", "-ftz=false",
)  # fmt: skip
THREADS = 128
"""Of a block: few enough that a small population still spreads over the processors of a device."""
MACRO = re.compile(r"[A-Z][A-Z0-9_]{2,}|M_\w+|L_\w+|P_tmpdir|HUGE_VAL\w*|stdin|stdout|stderr")
"""Names that the headers which nvcc reads may have as macros, such as `NAN`."""
MOST_VALUES = 2000
"""Arrays that a job names: their addresses go to the kernel as one argument, which holds 32 764 bytes at most."""


def emit(step: Step, dtype: Dtype) -> Artifact:
    """`<name>.cu`, which needs nothing but nvcc, and `<name>.h`, which any C compiler takes."""
    name = file_name(step.name)
    short = shorten(turn_quotients(step))
    places = layout(short)
    loops = loops_of(short)
    kept = frozenset(carry.name for part in loops if isinstance(part, EventLoop) for carry in part.deliver.carries)
    writer = Writer(short, places, aliases(loops), REALS[dtype])
    templates = _environment()
    symbol = name.replace("-", "_")
    interface = templates.get_template("interface.h.j2").render(symbol=symbol, order=_order(places, dtype)).rstrip()
    normals = [(f"{noise.name}:{lane}", i, lane) for i, noise in enumerate(step.noises) for lane in range(noise.lanes)]
    payloads = list(writer.payloads.values())
    unread = {define.name for define in step.bind} - set(places.binds)
    headers = ["birc_types.h", "birc_spikes.h", "birc_math.h", *(["birc_random.h"] if places.noises else [])]
    headers += ["birc_tables.h"] if places.tables else []
    groups = (
        ("bound", [(C_TYPES[places.kinds[bind]], bind) for bind in places.binds]),
        ("slots", [(C_TYPES[slot.kind], slot.name) for slot in places.slots]),
        ("inputs", [("real", port) for port in places.inputs]),
        ("payloads", [("real", port) for port in payloads]),
        ("normals", [("real", normal) for normal, _, _ in normals]),
        ("kept", [(C_TYPES[places.kinds[value]], value) for value in sorted(kept)]),
        ("outputs", [("real", port) for port in places.outputs]),
    )
    text = templates.get_template("model.cu.j2").render(
        title=comment(step.name),
        doc=doc_comment(step.doc),
        command=" ".join(("nvcc", *FLAGS, "-arch=native", f"{name}.cu", "-o", f"{name}.so")),
        threads=THREADS,
        interface=interface,
        headers=[*(header(shared) for shared in headers), header("birc_device.h", "birc.backends.cuda")],
        macros=[word for name, word in writer.names.items() if MACRO.fullmatch(word) and name not in unread],
        real=REALS[dtype],
        count=COUNTS[dtype],
        symbol=symbol,
        sizes=_sizes(places),
        groups=[(group, members) for group, members in groups if members],
        places=places,
        normals=normals,
        payloads=payloads,
        loops=[writer.loop(part, kept) for part in loops],
        recordable=[(STORAGE[slot.kind], slot.name) for slot in places.slots] + [("real", port) for port in places.outputs],
        types=C_TYPES,
        storage=STORAGE,
        c=writer.names,
    )
    return Artifact("cuda", step, dtype, {f"{name}.cu": text, f"{name}.h": f"{interface}\n"}, {"nvcc_flags": list(FLAGS)})


def values_of(step: Step) -> int:
    """How many arrays a job of the program names."""
    places = layout(step)
    return len(places.binds) + 2 * len(places.slots) + len(places.inputs) + len(places.events) + len(places.outputs) + len(places.noises)


def _sizes(places: Layout) -> dict[str, int]:
    """Entries of each table of the job, at least one, and how many arrays a run puts on the device."""
    sizes = {
        "bind": len(places.binds),
        "state": len(places.slots),
        "inputs": len(places.inputs),
        "events": len(places.events),
        "record": len(places.recordable),
        "streams": len(places.noises),
    }
    arrays = 1 + len(places.tables) + sizes["bind"] + sizes["state"] + sizes["inputs"] + 3 * sizes["events"] + sizes["record"]
    return {name: max(1, size) for name, size in sizes.items()} | {"arrays": arrays}


def _order(places: Layout, dtype: Dtype) -> list[str]:
    """What stands at which place of a job, as comments."""
    stored = {"real": REALS[dtype], "int": "int32_t", "bool": "uint8_t, 0 or 1"}
    lines = [f"//   bind[{i}]: {comment(name)}" for i, name in enumerate(places.binds)]
    lines += [f"//   state[{i}], record[{i}]: {comment(slot.name)} ({stored[slot.kind]})" for i, slot in enumerate(places.slots)]
    lines += [f"//   inputs[{i}]: {comment(name)}" for i, name in enumerate(places.inputs)]
    lines += [f"//   events[{i}]: {comment(name)}" for i, name in enumerate(places.events)]
    lines += [f"//   record[{len(places.slots) + i}]: {comment(name)} ({REALS[dtype]})" for i, name in enumerate(places.outputs)]
    lines += [f"//   tables[{i}]: {comment(table.name)}, {len(table.functions)} functions" for i, table in enumerate(places.tables)]
    lines += [f"//   streams[{i}]: {comment(name)}" for i, name in enumerate(places.noises)]
    return lines


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("birc.backends.cuda"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
