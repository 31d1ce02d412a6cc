"""Names that the emitted module gives to its own things, which a model's names must leave alone, and text that is safe in it."""

from __future__ import annotations

import builtins
import keyword

from birc.ir.surrogates import TABLE

WORDS = frozenset(keyword.kwlist) | frozenset(keyword.softkwlist) | frozenset(dir(builtins))

MODULE = frozenset(
    (
        "annotations", "Any", "Collection", "Container", "Iterable", "Mapping", "NamedTuple", "count",
        "get_close_matches", "import_module", "signature", "keras", "np", "ops", "os",
        "REAL", "PROGRAM", "INF", "PARAMETERS", "PRESETS", "SLOTS", "PORTS", "EVENT_PORTS", "SUMMING", "OUTPUTS", "DRAWS", "SPIKING",
        "FUSED", "NEEDS", "TIMES", "SURROGATES", "OTHERS", "SLOPES", "surrogate_of", "SURROGATE", "ARGUMENTS", "SQUARINGS",
        "LayerError", "Parameter", "Values", "Settings", "Spike", "Hard", "Within", "Start", "Held",
        "quantity", "number", "one_of", "names_of", "plain", "narrowed", "constraint",
        "bind", "step", "steps", "exprel", "sigmoid", "heaviside",
        "propagator", "increment", "input_gain", "noise_factor", "expm", "expm1", "scaled", "expm_graph", "expm1_graph", "scaled_graph",
        "cholesky", "entry", "SWEEP", "Sweep", "sweeps", "swept", "exporting", "Value", "ADJOINT", "LEARNED", "RESTING", "Plan", "Rooms",
        "truth", "least", "asked", "values", "at", "put", "loop",
        *(f"surrogate_{name}{end}" for name in TABLE for end in ("", "_by_slope")),
        "state", "inputs", "events", "draws", "spike", "z", "who", "margin", "m", "p", "dt",
    )
)  # fmt: skip
"""The module's own things, and the arguments and locals of its functions: no name of the program may be one of these."""

SYNAPSE = frozenset(("Synapses", "Cell", "TRACES", "DECAYS", "SENDS", "STATE", "WEIGHT", "PIECE", "decay_table"))
"""What the module of a synapse has beside that: its layer may not be called so."""

LAYER = frozenset(
    (
        "units", "dt", "preset", "learn", "per_feature", "ports", "output", "surrogate", "learn_surrogate", "detach_reset",
        "initializers", "regularizers", "ranges", "substeps", "noise", "gain",
        "use_bias", "kernel_initializer", "kernel_regularizer", "recurrent", "recurrent_initializer", "recurrent_regularizer",
        "return_sequences", "return_state", "stateful", "unroll", "fused", "seed",
        "self", "name", "dtype", "trainable", "activity_regularizer", "autocast", "input_shape", "batch_shape", "batch_size",
    )
)  # fmt: skip
"""Options of the layer, its own and those of Keras: no parameter may be one of these."""

RESERVED = WORDS | MODULE


def docstring(text: str | None) -> str:
    """Text that fits between triple quotes, whatever it holds."""
    lines = "" if text is None else text.replace("\\", "\\\\").replace('"""', "'''")
    printed = "".join(c for c in lines if c.isprintable() or c == "\n")
    return "\n".join(line.rstrip() for line in printed.split("\n")).strip()
