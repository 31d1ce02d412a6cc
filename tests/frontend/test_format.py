"""The formatter: its form, and that it changes nothing but the form."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from birc.errors import BircError, Source, Span
from birc.frontend.format import format_text
from birc.frontend.parser import parse, read_source

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.birc"))


def bare(node: object) -> object:
    """A node without its spans, to compare two trees."""
    if isinstance(node, Span | Source):
        return None
    if isinstance(node, tuple):
        return tuple(bare(part) for part in node)
    if is_dataclass(node) and not isinstance(node, type):
        return (type(node).__name__, *(bare(getattr(node, field.name)) for field in fields(node)))
    return node


def formatted(text: str) -> str:
    """The text in its form; asserts that it is a fixed point and has the same tree."""
    once = format_text(Source("m.birc", text))
    assert format_text(Source("m.birc", once)) == once
    assert bare(parse(Source("m.birc", once))) == bare(parse(Source("m.birc", text)))
    return once


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    text = read_source(path).text
    once = formatted(text)
    assert "".join(once.split()) == "".join(text.split())


UGLY = """

# head
from   birc use LIF
from "a.birc" use X , Y   # end of line
neuron A:
  "doc"


  # c1
  param x=1 ,y = -2 mV in( 0 ms,inf )   learn
        # odd
  let z=f( a ,
     b ,   # why
     # alone
     (c+d)
  )   * -3^-2
  spike when(x>- 1)   :
      x=  if(a)then-b else c
      # in the body
    # deeper than the model
  # in the model
# led to the next statement
  on pre :send w
  record   E[ 0 : 5 ].v every 0.5 ms
  input I :uA/cm^2 at soma( 0.5 )
  let q = every (3) + at(2) + P.dend( 0.5 ).exc
  let r = not(a and(b))or c
  gate m : alpha=1
    beta=2
# end
neuron B : state v=0
synapse C:
    \"\"\"
      several
    lines\"\"\"   # tail
    state w=0
      # hanging
"""

NEAT = """\
# head
from birc use LIF
from "a.birc" use X, Y  # end of line

neuron A:
    "doc"

    # c1
    param x = 1, y = -2 mV in (0 ms, inf) learn
    # odd
    let z = f(a,
        b,  # why
        # alone
        (c + d)
    ) * -3^-2
    spike when (x > -1):
        x = if (a) then -b else c
        # in the body
    # deeper than the model
    # in the model
    # led to the next statement
    on pre: send w
    record E[0:5].v every 0.5 ms
    input I: uA/cm^2 at soma(0.5)
    let q = every(3) + at(2) + P.dend(0.5).exc
    let r = not (a and (b)) or c
    gate m: alpha = 1
            beta = 2

# end
neuron B: state v = 0

synapse C:
    \"\"\"
      several
    lines\"\"\"  # tail
    state w = 0
    # hanging
"""


def test_form() -> None:
    assert formatted(UGLY) == NEAT


def test_a_neat_text_stays() -> None:
    assert formatted(NEAT) == NEAT


def test_mistakes_are_reported_and_nothing_is_formatted() -> None:
    with pytest.raises(BircError) as caught:
        format_text(Source("m.birc", "neuron A:\n    sate v = 0\n"))
    assert caught.value.code == "S031"
