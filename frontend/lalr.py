"""The driver of the LALR(1) tables: a loop over the tokens of one line, without recursion."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from birc.frontend.tokens import Token

END = "$END"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the grammar as the driver sees it: see `tables.py`. No rule is empty."""

    origin: str
    builds: str
    size: int
    splices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """`states[s][symbol]` is the next state, or `-1 - r` for a reduction by rule r; a start has a first and a last state."""

    starts: dict[str, tuple[int, int]]
    rules: tuple[Rule, ...]
    states: tuple[dict[str, int], ...]


class Unexpected(Exception):
    """Token number `at` cannot stand where it stands (`at` is the number of tokens if the line ended too early)."""

    def __init__(self, at: int, start: str, tokens: Sequence[Token]) -> None:
        super().__init__(at)
        self.at, self.start, self.tokens = at, start, tokens

    def accepts(self) -> frozenset[str]:
        """The types of token that could have stood there."""
        table = tables()
        first, last = table.starts[self.start]
        stack = [first]
        for token in self.tokens[: self.at]:
            _shift(stack, token.type, last)
        return frozenset(symbol for symbol in table.states[stack[-1]] if not symbol.islower() and _shift(list(stack), symbol, last))


@cache
def tables() -> Tables:
    """The tables of `birc.lark`."""
    data = json.loads(resources.files("birc.frontend").joinpath("tables.json").read_text("utf-8"))
    return Tables(
        {start: (first, last) for start, (first, last) in data["starts"].items()},
        tuple(Rule(origin, builds, size, tuple(splices)) for origin, builds, size, splices in data["rules"]),
        tuple(data["states"]),
    )


def run(start: str, tokens: Sequence[Token], build: Mapping[str, Callable[[list[Any]], Any]]) -> Any:
    """What the functions in `build` make of the tokens, parsed as `start`; raises `Unexpected`."""
    table = tables()
    rules, states = table.rules, table.states
    first, last = table.starts[start]
    stack = [first]
    values: list[Any] = []
    for at in range(len(tokens) + 1):
        token = tokens[at] if at < len(tokens) else None
        symbol = token.type if token is not None else END
        while True:
            action = states[stack[-1]].get(symbol)
            if action is None:
                raise Unexpected(at, start, tokens)
            if action >= 0:
                stack.append(action)
                values.append(token)
                break
            rule = rules[-1 - action]
            del stack[-rule.size :]
            stack.append(states[stack[-1]][rule.origin])
            if rule.builds:
                parts = values[-rule.size :]
                del values[-rule.size :]
                values.append(_reduce(rule, parts, build))
            if token is None and stack[-1] == last:
                return values[-1]
    raise AssertionError("the end of a line is always accepted or unexpected")


def _reduce(rule: Rule, parts: list[Any], build: Mapping[str, Callable[[list[Any]], Any]]) -> Any:
    if rule.splices:
        # The list made so far is taken over, not copied: a line of n entries takes time in proportion to n.
        whole: list[Any] = parts[0] if rule.splices[0] == 0 else parts[:1]
        for i, part in enumerate(parts[1:], 1):
            if i in rule.splices:
                whole.extend(part)
            else:
                whole.append(part)
        parts = whole
    return parts if rule.builds == "*" else build[rule.builds](parts)


def _shift(stack: list[int], symbol: str, end_state: int) -> bool:
    """Brings the states over `symbol`, after the reductions it calls for; whether it can be shifted (the end: accepted)."""
    table = tables()
    while True:
        action = table.states[stack[-1]].get(symbol)
        if action is None:
            return False
        if action >= 0:
            stack.append(action)
            return True
        rule = table.rules[-1 - action]
        del stack[-rule.size :]
        stack.append(table.states[stack[-1]][rule.origin])
        if symbol == END and stack[-1] == end_state:
            return True
