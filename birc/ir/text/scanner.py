"""Reading a text from left to right: words, names, values; what does not fit is a `BircError` with its place.

Blanks, line ends and comments separate and mean nothing else, but for the places in comments (`layout.places`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from birc.errors import BircError, Source, Span
from birc.ir.expr import Expr, make
from birc.ir.ops import LEAVES, OPS
from birc.ir.text import layout, words
from birc.units import Unit, UnknownUnit

T = TypeVar("T")
MAX_DEPTH = 100
_SKIP = re.compile(r"(?:\s+|#[^\n]*)*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHOWN = re.compile(r"[A-Za-z0-9_.%'@]+|\S")
_PART_OF_WORD = re.compile(r"[A-Za-z0-9_.']")
_NUMBERED = re.compile(r"%([0-9]+)")
_TYPE = re.compile(r"int\b|real\b|bool\b|(?:1(?![0-9])|[A-Za-z][A-Za-z0-9]*)[A-Za-z0-9^*/-]*")
_LEAVES = frozenset(LEAVES) - {"const", "step_size"}
_WITHOUT_ROW = (frozenset(LEAVES) - {"const"}) | {"call", "uniform", "array"}


class Scanner:
    """A position in a text."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.at = 0
        self.depth = 0
        self.leaf = "var"
        self.numbered: dict[str, Expr] = {}
        self._places = layout.places(self.text.split("\n"))
        self._starts = [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]
        self.skip()

    # --- places

    def place(self, at: int | None = None) -> Span | None:
        """The place of what stands here, as the comments tell it."""
        return self._places[bisect_right(self._starts, self.at if at is None else at) - 1]

    def span(self, start: int, end: int) -> Span:
        """A stretch of the text itself."""
        line = bisect_right(self._starts, start)
        column = start - self._starts[line - 1] + 1
        return Span(self.source, line, column, line, column + max(1, end - start))

    def fail(self, code: str, message: str, at: int | None = None, help: str | None = None) -> NoReturn:
        """Say what is wrong with the word here (or at `at`)."""
        start = self.at if at is None else at
        shown = _SHOWN.match(self.text, start)
        raise BircError(code, message, self.span(start, shown.end() if shown else start + 1), help)

    def expected(self, what: str) -> NoReturn:
        """Say that something else should stand here."""
        shown = _SHOWN.match(self.text, self.at)
        found = f"`{shown[0]}`" if shown else "the end of the text"
        self.fail("S203", f"expected {what}, found {found}")

    # --- words

    def skip(self) -> None:
        """Go past blanks and comments."""
        match = _SKIP.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Take what matches here, and the blanks behind it."""
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
            self.skip()
        return found

    def sees(self, sign: str) -> bool:
        """Whether this word or sign stands here; a word must end there."""
        if not self.text.startswith(sign, self.at):
            return False
        behind = self.text[self.at + len(sign) : self.at + len(sign) + 1]
        return not ((sign[-1].isalnum() or sign[-1] == "_") and _PART_OF_WORD.match(behind))

    def take(self, sign: str) -> bool:
        """Take this word or sign if it stands here."""
        if not self.sees(sign):
            return False
        self.at += len(sign)
        self.skip()
        return True

    def need(self, sign: str) -> None:
        """Take this word or sign, which must stand here."""
        if not self.take(sign):
            self.expected(f"`{sign}`")

    def word(self) -> str:
        """The word here, not taken; "" if there is none."""
        found = _WORD.match(self.text, self.at)
        return found[0] if found else ""

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level deeper; too many are an error."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail("S208", f"blocks are nested more than {MAX_DEPTH} deep")
        yield
        self.depth -= 1

    def block(self) -> Iterator[None]:
        """`{ … }`, once round for each statement in it."""
        start = self.at
        self.need("{")
        with self.nested():
            while not self.take("}"):
                if self.ended:
                    self.fail("S203", "this block is not closed", start)
                yield

    # --- pieces

    def name(self, what: str = "a name", pattern: re.Pattern[str] = words.NAME) -> str:
        """A name, bare or quoted."""
        quoted = self.match(words.STRING)
        if quoted is not None:
            return words.unquote(quoted[0])
        if self.sees(words.NOTHING):
            self.expected(what)
        bare = self.match(pattern)
        if bare is None:
            self.expected(what)
        return bare[0]

    def ref(self) -> str:
        """`%name`."""
        if not self.text.startswith("%", self.at):
            self.expected("a name with its `%`")
        self.at += 1
        return self.name("a name behind `%`")

    def optional(self, read: Callable[[], T]) -> T | None:
        """What is read, or None where `_` stands."""
        return None if self.take(words.NOTHING) else read()

    def listed(self, read: Callable[[], T]) -> tuple[T, ...]:
        """One or more, between commas."""
        found = [read()]
        while self.take(","):
            found.append(read())
        return tuple(found)

    def string(self) -> str:
        """A text in double quotes."""
        found = self.match(words.STRING)
        if found is None:
            self.expected("a string in double quotes")
        return words.unquote(found[0])

    def number(self) -> float | bool:
        """A literal."""
        found = self.match(words.NUMBER)
        if found is None:
            self.expected("a number")
        if words.too_long(found[0]):
            self.fail("S203", "a number of this length", found.start())
        return words.to_number(found[0])

    def real(self) -> float:
        """A real number."""
        start = self.at
        value = self.number()
        if not isinstance(value, float):
            self.fail("S203", "expected a real number: write a point in it", start)
        return value

    def count(self) -> int:
        """A whole number."""
        start = self.at
        value = self.number()
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail("S203", "expected a whole number", start)
        return value

    def unit(self) -> Unit:
        """A unit token."""
        start = self.at
        found = self.match(words.SPELLED_UNIT) or self.match(words.UNIT)
        if found is None:
            self.expected("a unit")
        try:
            return words.to_unit(found[0])
        except UnknownUnit as unknown:
            self.fail("S206", f"`{unknown.name}` is no unit", start)

    # --- expressions

    def operand(self) -> Expr:
        """A number, a name with `%`, or a numbered line."""
        number = words.NUMBER.match(self.text, self.at)
        if number is not None:
            return make("const", (), self.number())
        start = self.at
        numbered = self.match(_NUMBERED)
        if numbered is None:
            return make(self.leaf, (), self.ref())
        found = self.numbered.get(numbered[1])
        if found is None:
            self.fail("S205", f"`{numbered[0]}` is used before its line", start)
        return found

    def application(self) -> Expr:
        """The right side of a line: an operand alone, or an op with its arguments; then perhaps its type."""
        found = self.operation() if _WORD.match(self.text, self.at) and not words.NUMBER.match(self.text, self.at) else self.operand()
        if self.take(":") and self.match(_TYPE) is None:
            self.expected("a unit or a kind")
        return found

    def operation(self) -> Expr:
        """`mul %R, %I`, `load v`, `call[f] %x`."""
        start = self.at
        op = self.name("an operation")
        if op in _LEAVES and not self.sees("[") and not self._operand_follows():
            return make(op, (), self.name())
        attr = None
        if self.take("["):
            quoted = self.match(words.STRING) or self.match(words.ATTRIBUTE)
            if quoted is None or words.too_long(quoted[0]):
                self.expected("an attribute")
            attr = words.to_attribute(quoted[0])
            self.need("]")
        args: tuple[Expr, ...] = ()
        if self.take("("):
            self.need(")")
        elif op != "step_size" and not (op in _LEAVES and attr is not None) and self._operand_follows():
            args = self.listed(self.operand)
        self._check_op(op, len(args), start)
        return make(op, args, attr)

    def _operand_follows(self) -> bool:
        return self.sees("%") or words.NUMBER.match(self.text, self.at) is not None

    def _check_op(self, op: str, count: int, start: int) -> None:
        row = OPS.get(op)
        if row is None:
            if op not in _WITHOUT_ROW:
                self.fail("S204", f"there is no operation `{op}`", start)
        elif row.arity >= 0 and row.arity != count:
            self.fail("S204", f"`{op}` takes {row.arity} operands, not {count}", start)

    def numbered_line(self) -> bool:
        """Take `%0 = …` if it stands here."""
        start = self.at
        number = _NUMBERED.match(self.text, self.at)
        if number is None:
            return False
        self.at = number.end()
        self.skip()
        self.need("=")
        if number[1] in self.numbered:
            self.fail("S205", f"`{number[0]}` has a line already", start)
        self.numbered[number[1]] = self.application()
        return True

    @contextmanager
    def inner(self) -> Iterator[None]:
        """A scope of numbered lines inside this one."""
        outer = self.numbered
        self.numbered = dict(outer)
        yield
        self.numbered = outer

    def value(self) -> Expr:
        """An operand, or a block of lines that yields one."""
        if not self.sees("{"):
            return self.operand()
        start = self.at
        found: Expr | None = None
        with self.inner():
            for _ in self.block():
                if found is not None:
                    self.expected("`}` behind `yield`")
                if self.take("yield"):
                    found = self.operand()
                elif not self.numbered_line():
                    self.expected("a numbered line or `yield`")
        if found is None:
            self.fail("S203", "this block yields nothing", start)
        return found

    def arguments(self) -> tuple[tuple[str, Expr], ...]:
        """`(a = 1.0, b = %x)` or `{ a = { … } b = 2.0 }` or nothing."""
        if self.take("("):
            if self.take(")"):
                return ()
            found = self.listed(self._argument)
            self.need(")")
            return found
        return tuple(self._argument() for _ in self.block()) if self.sees("{") else ()

    def _argument(self) -> tuple[str, Expr]:
        name = self.name()
        self.need("=")
        return name, self.value()
