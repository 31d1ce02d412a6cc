"""Operands in a row do not nest: generated models have long sums."""

from __future__ import annotations

from pathlib import Path

import pytest

from birc import driver
from birc.errors import BircError, Source
from birc.frontend.format import format_text
from birc.frontend.lines import MAX_NESTING, MAX_TERMS
from birc.frontend.load import load
from birc.frontend.parser import parse
from birc.frontend.show import show_module
from birc.ir.expr import topo
from birc.ir.model import Model


def text(value: str) -> str:
    return f"neuron A:\n    param a = 2, b = 3\n    state v = 0\n    1 ms * v' = {value}\n"


def refused(value: str) -> str:
    with pytest.raises(BircError) as caught:
        parse(Source("a.birc", text(value)))
    assert caught.value.code == "S012"
    return caught.value.diagnostics[0].message


def test_a_sum_of_300_terms_runs(tmp_path: Path) -> None:
    file = tmp_path / "sum.birc"
    terms = " + ".join(["a", "b * v"] * 150)
    file.write_text(text(f"({terms}) * 0 + ({' - '.join(['a'] * 300)}) - v").replace("v = 0", "v = -596"), "utf-8")
    out = driver.run(str(file), "1 ms", record=["v"])
    assert (out.v == -596).all()
    assert format_text(Source("sum.birc", file.read_text())) == file.read_text()


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "and", "or"])
def test_the_longest_row(sign: str) -> None:
    operands = ["v > a" if sign in ("and", "or") else "a"] * MAX_TERMS
    row = f" {sign} ".join(operands)
    value = f"(if {row} then a else b)" if sign in ("and", "or") else f"({row})"
    module = load(Source("a.birc", text(value)))
    model = module.items[0]
    assert isinstance(model, Model)
    assert sum(1 for _ in topo(model.odes[0].rhs)) >= MAX_TERMS
    assert refused(value.replace(row, f"{row} {sign} {operands[0]}")) == f"more than {MAX_TERMS} operands stand in a row here"


def test_rows_inside_rows_do_not_nest() -> None:
    inner = "(" + " + ".join(["a * b * v / a"] * 250) + ")"
    load(Source("a.birc", text(" * ".join([inner] * 6))))


def test_a_long_row_is_shown_as_a_tree() -> None:
    shown = show_module(parse(Source("a.birc", text(" + ".join(["a"] * 2000)))))
    assert shown.count("Name name='a'") == 2000


@pytest.mark.parametrize("depth", [MAX_NESTING + 20, 10_000])
@pytest.mark.parametrize(
    ("opening", "closing"),
    [("(", ")"), ("-", ""), ("exp(", ")"), ("1 + (", ")"), ("a ^ ", ""), ("1 / (1 + ", ")"), ("if v > a then a else ", "")],
)
def test_what_nests_deep_is_refused(depth: int, opening: str, closing: str) -> None:
    if len(opening) * depth < 90_000:
        assert "deep" in refused(opening * depth + "a" + closing * depth)
