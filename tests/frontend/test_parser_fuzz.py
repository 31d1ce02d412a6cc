"""Any text ends in a tree or in a message, and formatting keeps the tree."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from birc.errors import BircError, Source
from birc.frontend.format import format_text
from birc.frontend.parser import parse, parse_expression, parse_partial
from birc.frontend.read import decode
from birc.frontend.words import CONTEXTUAL, RESERVED
from tests.frontend.test_format import bare

EXAMPLES = [path.read_text("utf-8") for path in sorted((Path(__file__).parent / "examples").glob("*.birc"))]
SIGNS = [*"()[],:.+-*/^=<>'\"#\n\t ;%_µ−", "==", "+=", "->", "\n    ", "\n        ", '"""', "**", "1", "2.5", "20 ms", "1e-3", ".5"]
WORDS = [*sorted(RESERVED | CONTEXTUAL), "v", "w", "tau", "pre", "LIF", "mV", "ms^-1"]

names = st.sampled_from(["v", "w", "tau", "at", "of", "when", "every", "g_1", "mV"])
numbers = st.sampled_from(["0", "1", "2.5", "1e-3", "20 ms", "3 mV^-1*ms^-1", "1 uF/cm^2"])


def binary(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    sign = st.sampled_from(["+", " - ", "*", " / ", "^", " <", ">= ", " and ", " or ", "=="])
    return st.tuples(inner, sign, inner).map(lambda parts: f"({parts[0]}){parts[1]}({parts[2]})")


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        binary(inner),
        inner.map(lambda text: f"-({text})"),
        inner.map(lambda text: f"( {text}\n   )"),
        inner.map(lambda text: f"not( {text} )"),
        st.tuples(names, inner, inner).map(lambda parts: f"{parts[0]}( {parts[1]} ,k={parts[2]})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"(if {parts[0]} then {parts[1]}  else {parts[2]})"),
        st.tuples(names, names, names).map(lambda parts: f"{parts[0]}[0:5].{parts[1]} * {parts[2]}''"),
    )


expressions = st.recursive(st.one_of(names, numbers), larger, max_leaves=8)


def ends_in_tree_or_message(text: str) -> None:
    source = Source("m.birc", text)
    try:
        module, problems = parse_partial(source)
    except BircError as error:
        raise AssertionError("mistakes are returned, not raised") from error
    if problems:
        for problem in problems:
            assert str(problem).startswith(f"error[{problem.code}]: ")
            assert problem.span is not None and problem.span.line >= 1 and problem.span.column >= 1
        return
    once = format_text(source)
    assert format_text(Source("m.birc", once)) == once
    assert bare(parse(Source("m.birc", once))) == bare(module)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_bytes(data: bytes) -> None:
    try:
        text = decode("m.birc", data)
    except BircError as error:
        assert error.code == "S015"
        return
    ends_in_tree_or_message(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(SIGNS), st.text(max_size=3)), max_size=40).map(" ".join))
def test_tokens_in_any_order(text: str) -> None:
    ends_in_tree_or_message(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(SIGNS)), max_size=12))
def test_lines_in_any_order(parts: list[str]) -> None:
    ends_in_tree_or_message("neuron A:\n    " + " ".join(parts))
    ends_in_tree_or_message("neuron A:\n    " + "".join(parts))
    try:
        parse_expression(Source("m.birc", " ".join(parts)))
    except BircError as error:
        assert error.code[0] == "S"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(EXAMPLES), st.integers(0, 2**32), st.integers(1, 4))
def test_mutations_of_models(text: str, seed: int, count: int) -> None:
    draw = random.Random(seed)
    for _ in range(count):
        at, to = draw.randrange(len(text)), draw.randrange(len(text))
        change = draw.randrange(4)
        if change == 0:
            text = text[:at] + text[at + draw.randrange(1, 8) :]
        elif change == 1:
            text = text[:at] + draw.choice(SIGNS + WORDS) + text[at:]
        elif change == 2:
            text = text[:at] + text[to : to + draw.randrange(30)] + text[at:]
        else:
            text = text[:at] + draw.choice(SIGNS) + text[at + 1 :]
    ends_in_tree_or_message(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(expressions, min_size=1, max_size=4), st.integers(1, 8), st.booleans())
def test_formatting_keeps_the_tree(values: list[str], indent: int, comments: bool) -> None:
    margin, comment = " " * indent, "  # why" if comments else ""
    lines = [f"{margin}let x{i}={value}{comment}\n" for i, value in enumerate(values)]
    text = f"neuron A:{comment}\n{''.join(lines)}{margin}spike when {values[0]}:\n{margin} # in\n{margin}  v={values[-1]}\n# out\n"
    source = Source("m.birc", text)
    module = parse(source)
    once = format_text(source)
    assert format_text(Source("m.birc", once)) == once
    assert bare(parse(Source("m.birc", once))) == bare(module)
    assert once.count("#") == text.count("#")
