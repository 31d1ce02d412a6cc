"""The pre-pass: tokens, logical lines, blocks and comments."""

from __future__ import annotations

import pytest

from birc.errors import Source
from birc.frontend.lines import Line, read_lines


def outline(lines: list[Line]) -> list[object]:
    """Each line as the texts of its tokens, with the lines below it as a list behind it."""
    out: list[object] = []
    for line in lines:
        out.append(" ".join(token.text for token in line.tokens))
        if line.children:
            out.append(outline(line.children))
    return out


def tokens(text: str) -> list[tuple[str, str]]:
    (line,) = read_lines(Source("m.birc", text)).top
    assert line.problem is None
    return [(token.type, token.text) for token in line.tokens]


def test_blocks_and_comments() -> None:
    text = (
        "# head\nneuron A:   # of A\n  state v = 0\n\n"
        "  on pre:\n      w += 1\n      # in between\n      send w\n  let x = (1\n+ 2)\ncheck A:\n  expect v"
    )
    lines = read_lines(Source("m.birc", text))
    assert outline(lines.top) == [
        "neuron A :",
        ["state v = 0", "on pre :", ["w += 1", "send w"], "let x = ( 1 + 2 )"],
        "check A :",
        ["expect v"],
    ]
    assert {number: comment.text for number, comment in lines.comments.items()} == {1: "# head", 2: "# of A", 7: "# in between"}
    assert lines.problems == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x'' = 2 ms", "PRIMED:x'' EQUAL:= NUMBER:2 UNIT:ms"),
        ("1 uF/cm^2*3", "NUMBER:1 UNIT:uF/cm^2 STAR:* NUMBER:3"),
        ("2 ms^-1", "NUMBER:2 UNIT:ms^-1"),
        ("2 ms - 1", "NUMBER:2 UNIT:ms MINUS:- NUMBER:1"),
        ("1 step", "NUMBER:1 STEP:step"),
        ("1 in [0, 1)", "NUMBER:1 IN:in LSQB:[ NUMBER:0 COMMA:, NUMBER:1 RPAR:)"),
        ("1 learn", "NUMBER:1 LEARN:learn"),
        ("3 every 1 ms", "NUMBER:3 EVERY:every NUMBER:1 UNIT:ms"),
        ("input I: 1 at soma", "INPUT:input NAME:I COLON:: NUMBER:1 AT:at NAME:soma"),
        ("input I: uA/cm^2 at soma", "INPUT:input NAME:I COLON:: UNIT:uA/cm^2 AT:at NAME:soma"),
        ("input I: µA/cm^2", "INPUT:input NAME:I COLON:: UNIT:uA/cm^2"),
        ("neuron A: input I: pA", "NEURON:neuron NAME:A COLON:: INPUT:input NAME:I COLON:: UNIT:pA"),
        ("on pre: a*b", "ON:on NAME:pre COLON:: NAME:a STAR:* NAME:b"),
        ("on exc(w: pA*s): a", "ON:on NAME:exc LPAR:( NAME:w COLON:: UNIT:pA*s RPAR:) COLON:: NAME:a"),
        ("a->b", "NAME:a ARROW:-> NAME:b"),
        ("a<-b", "NAME:a COMPARE:< MINUS:- NAME:b"),
        ("a-=-b", "NAME:a CHANGE:-= MINUS:- NAME:b"),
        ('from "a b.birc" use X # c', 'FROM:from STRING:"a b.birc" USE:use NAME:X'),
        ('"""a\n "b" c"""', 'DOCSTRING:"""a\n "b" c"""'),
    ],
)
def test_tokens(text: str, expected: str) -> None:
    assert " ".join(f"{type}:{word}" for type, word in tokens(text)) == expected


def test_an_unclosed_bracket_costs_its_line() -> None:
    lines = read_lines(Source("m.birc", "neuron A:\n    x' = (1 +\n        2\n    y' = 3\n    state z = (0\n"))
    assert [(line.tokens[0].text, line.problem and line.problem.code) for line in lines.top[0].children] == [
        ("x'", "S010"),
        ("y'", None),
        ("state", "S010"),
    ]


def test_a_line_back_at_a_level_of_its_own_is_reported_once() -> None:
    lines = read_lines(Source("m.birc", "a\n    b\n  c\n  d\n    e\n"))
    assert outline(lines.top) == ["a", ["b", "c", "d", "e"]]
    assert [line.stray and line.stray.code for line in lines.top[0].children] == [None, "S022", None, None]


def test_line_ends_of_other_systems() -> None:
    for end in ("\r\n", "\r"):
        lines = read_lines(Source("m.birc", end.join(["neuron A:", "    state v = 0", ""])))
        assert outline(lines.top) == ["neuron A :", ["state v = 0"]]
