"""Whether spikes of a target may wait: `on post` is then run when the source's next event comes, and not when the target fires.

Nothing may tell the difference, so that until then nobody reads or changes what the handler does, and what it reads is still known: states
of the synapse, parameters, the traces of its source, which rise at its events only, and what a history of the target's spikes keeps.
"""

from __future__ import annotations

from birc.ir.network import ProjectionProgram, differs
from birc.ir.step import Define

MANY = 1 << 22
"""Synapses from which on a processor does well to let them wait: states of so many do not stay in its cache, where an index by target would
find them one by one (`python -m tests.bench.waiting`)."""


def why_not(made: ProjectionProgram) -> str | None:
    """Why spikes of the target of a projection may not wait; None where they may."""
    synapse, projection = made.synapse, made.projection
    if synapse is None or not synapse.has_post:
        return "nothing happens at a spike of the target"
    if projection.target.port is None:
        return "it reaches a signal, which does not fire"
    if synapse.flow is not None:
        return "its states change in each step"
    delays = dict(projection.properties)
    if synapse.post is None or synapse.rise_post is not None or differs(delays.get("back", delays.get("dend"))):
        return "spikes of a target reach its synapses at different times"
    if synapse.post.outputs:
        return "`on post` sends"
    fed = {name: str(e.attr) for name, e in projection.arguments if e.op == "var"}
    read = [s.value.attr for _, s in synapse.post.statements() if isinstance(s, Define) and s.value.op == "read"]
    for name in map(str, read):
        if name in synapse.inputs and fed.get(name, "").startswith("pre."):
            return f"`on post` reads {fed[name]} of the source, of which nothing is kept"
    return None
