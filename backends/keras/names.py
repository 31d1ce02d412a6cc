"""Names that the emitted module gives to its own things, which a model's names must leave alone, and text that is safe in it."""

from __future__ import annotations

import builtins
import keyword

WORDS = frozenset(keyword.kwlist) | frozenset(keyword.softkwlist) | frozenset(dir(builtins))

MODULE = frozenset(
    "annotations Any Iterable Mapping NamedTuple keras np ops real REAL PROGRAM PARAMETERS PRESETS SLOTS INITIAL PORTS EVENT_PORTS OUTPUTS "
    "DRAWS SPIKING NEEDS SURROGATES TIMES LayerError Parameter Settings Spike Values Within bind defaults step exprel sigmoid heaviside "
    "durations steps propagator input_gain noise_factor expm cholesky entry fast_sigmoid triangular arctan gaussian multi_gaussian "
    "straight_through logistic register internal number".split()
)
"""Words of the module itself."""

STEP = frozenset("state inputs events draws spike z who margin m p dt".split())
"""Arguments and locals of its functions."""

OPTIONS = (
    "units", "dt", "preset", "learn", "per_feature", "ports", "output", "surrogate", "detach_reset", "initializers", "regularizers",
    "use_bias", "kernel_initializer", "kernel_regularizer", "recurrent", "recurrent_initializer", "recurrent_regularizer",
    "return_sequences", "return_state", "stateful", "unroll", "seed",
)  # fmt: skip
"""What a layer can be told beside its parameters."""

LAYER = frozenset(OPTIONS) | frozenset(
    "self name dtype trainable activity_regularizer autocast input_shape batch_shape batch_size input_dtype dtype_policy args kwargs cls "
    "inputs states training mask call build cell".split()
)
"""Names that Keras gives a meaning as an argument of a layer."""

RESERVED = WORDS | MODULE | STEP
"""No name of the program may be one of these."""

PARAMETER_RESERVED = RESERVED | LAYER
"""No parameter may be one of these: it is an argument of the layer."""



def docstring(text: str | None) -> str:
    """Text that fits between triple quotes, whatever it holds."""
    lines = "" if text is None else text.replace("\\", "\\\\").replace('"""', "'''")
    return "\n".join(line.rstrip() for line in "".join(c for c in lines if c.isprintable() or c == "\n").split("\n")).strip()
