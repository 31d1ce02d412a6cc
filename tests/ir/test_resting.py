"""Counts that stay at 0."""

from __future__ import annotations

import pytest

from birc import driver
from birc.ir.resting import resting
from birc.ir.text import parse_step

STEP = """bir 1
step @S {
  slot v : real 1 from %zero
  slot r : int 1 from %none
  input I : 1
  bind { %zero = 0.0  %none = 0  %n = 0 : int  %m = 0 : int }
  flow { %v = load v  %r = load r : int  %I = read I  %v.1 = add %v, %I }
  test { %fired = ge %v.1, 1.0 }
  reset { store v, %v.1  store r, %r.1 }
}
"""


@pytest.mark.parametrize(
    ("after", "needs"),
    [
        ("%0 = sub %r, 1 : int  %1 = max %0, 0 : int  %r.1 = select %fired, %n, %1 : int", ("n",)),  # a refractory period
        ("%0 = add %n, %m : int  %r.1 = select %fired, %0, %r : int", ("n", "m")),
        ("%r.1 = select %fired, %n, 0 : int", ("n",)),
        ("%0 = add %r, 1 : int  %r.1 = select %fired, %n, %0 : int", None),  # it counts up
        ("%r.1 = select %fired, 3, %r : int", None),
        ("%0 = gt %r, 0  %r.1 = select %0, 5, %r : int", ()),  # never chosen
    ],
)
def test_what_rests_and_while_what_is_0(after: str, needs: tuple[str, ...] | None) -> None:
    step = parse_step(STEP.replace("reset { ", f"reset {{ {after}  "))
    assert resting(step) == ({} if needs is None else {"r": needs})


def test_without_counts_nothing_rests() -> None:
    assert resting(driver.compile_model("fitzhugh_nagumo", target="numpy", dt="0.1 ms").step) == {}
