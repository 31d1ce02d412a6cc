"""Mutated model files: whatever is in them, the front end gives a module or a `BircError`, and never anything else."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from birc.errors import BircError, Source
from birc.frontend.load import load

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.birc"))
LIBRARY = sorted((Path(__file__).parents[2] / "birc" / "library").glob("*.birc"))
NETWORK = [e for e in EXAMPLES if e.stem in ("lif", "li_rinzel", "tsodyks_markram", "reward_stdp", "cortex")]
TEXTS = [path.read_text("utf-8") for path in (*EXAMPLES, *LIBRARY)]
TEXTS += ["\n".join(path.read_text("utf-8") for path in sorted(NETWORK, key=lambda p: p.stem == "cortex"))] * 5
WORD = re.compile(r"\w+'*|\S")


def mutated(text: str, source: random.Random) -> str:
    """The text with a few words exchanged, dropped, doubled or taken from elsewhere in it."""
    for _ in range(source.randint(1, 4)):
        words = list(WORD.finditer(text))
        word, other = source.choice(words), source.choice(words)
        change = source.choice(("drop", "replace", "double", "line", "number"))
        if change == "line":
            lines = text.split("\n")
            lines.insert(source.randrange(len(lines)), source.choice(lines))
            text = "\n".join(lines)
            continue
        new = {
            "drop": "",
            "replace": other[0],
            "double": f"{word[0]} {word[0]}",
            "number": source.choice(("0", "-1", "inf", "1e300", "2 mV")),
        }
        text = text[: word.start()] + new[change] + text[word.end() :]
    return text


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files(seed: int) -> None:
    source = random.Random(seed)
    outcomes = set()
    for _ in range(60):
        text = mutated(source.choice(TEXTS), source)
        try:
            load(Source("mutated.birc", text))
            outcomes.add("built")
        except BircError as error:
            assert str(error)
            outcomes.add("refused")
    assert outcomes == {"built", "refused"}
