"""The words of the language: which are reserved, which mean something in one place only, which end a unit literal."""

from __future__ import annotations

ITEM_WORDS = ("neuron", "channel", "synapse", "cell", "astrocyte", "network", "check")

STATEMENT_WORDS = (
    "param", "state", "input", "output", "let", "fn", "step", "on", "spike", "refractory", "noise", "trace", "gate", "outward",
    "use", "preset", "with", "section", "morphology", "membrane", "insert", "population", "source", "signal", "project", "third",
    "record", "drive", "expect",
)  # fmt: skip

TOP_WORDS = ("from", *ITEM_WORDS)

LINE_WORDS = frozenset((*TOP_WORDS, *STATEMENT_WORDS, "send"))
"""Every word that begins a line of some block."""

RESERVED = LINE_WORDS | {"if", "then", "else", "and", "or", "not", "in", "true", "false", "pi", "inf"}

CONTEXTUAL = frozenset(
    (
        "birc", "extends", "learn", "at", "when", "rise", "hold", "of", "as", "surrogate", "solver", "store", "spikes",
        "regions", "everywhere", "file", "via", "every", "for", "within", "always", "during", "run",
    )
)  # fmt: skip
"""Words that the grammar knows in one place; everywhere else they are ordinary names."""

NOT_UNITS = frozenset(
    ("in", "learn", "then", "else", "and", "or", "not", "every", "within", "for", "always", "during", "step", "on", "as", "of", "if")
)
"""Words behind a number that are not its unit."""

TOKEN_OF_WORD = {word: word.upper() for word in RESERVED | CONTEXTUAL}
WORD_OF_TOKEN = {token: word for word, token in TOKEN_OF_WORD.items()}
