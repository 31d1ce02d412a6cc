"""Makes `tables.json`, the parser's tables, from the grammar `birc.lark`: `python -m birc.frontend.tables`.

The tables are shipped, so that no command waits for their construction (a fifth of a second). They are the same bytes on
every machine: states are numbered in the order in which they are reached from the start symbols.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

STARTS = ("top", "member", "action", "rate", "expression")


def make() -> str:
    """The text of `tables.json` for the grammar as it stands; a conflict in the grammar is an error of lark."""
    from lark import Lark
    from lark.lexer import Lexer, LexerState
    from lark.parsers.lalr_analysis import Shift

    class OwnLexer(Lexer):
        """Stands for `tokens.py`; the tables do not depend on it."""

        __future_interface__ = 2

        def __init__(self, conf: object) -> None:
            pass

        def lex(self, lexer_state: LexerState, parser_state: Any) -> Iterator[Any]:
            yield from ()

    grammar = resources.files("birc.frontend").joinpath("birc.lark").read_text("utf-8")
    parser = Lark(grammar, parser="lalr", lexer=OwnLexer, start=list(STARTS), keep_all_tokens=True, maybe_placeholders=False, strict=True)
    table = parser.parser.parser._parse_table
    rules = sorted(parser.rules, key=str)
    number = {rule: i for i, rule in enumerate(rules)}

    order: dict[int, int] = {}
    queue = [table.start_states[start] for start in STARTS]
    for state in queue:
        if state in order:
            continue
        order[state] = len(order)
        queue.extend(target for _, (kind, target) in sorted(table.states[state].items()) if kind is Shift)

    states = [
        {symbol: order[target] if kind is Shift else -1 - number[target] for symbol, (kind, target) in sorted(table.states[state].items())}
        for state in order
    ]
    starts = {start: [order[table.start_states[start]], order[table.end_states[start]]] for start in STARTS}
    return _print(starts, [_rule(rule) for rule in rules], states)


def _rule(rule: Any) -> list[Any]:
    """What the driver needs of a rule: origin, name of the function that builds its node, length, places to splice.

    The function's name is empty where the only part stands for the whole (`?rule`), and `*` where the parts go into the parent.
    """
    origin = str(rule.origin.name)
    if origin.startswith("_"):
        builds = "*"
    elif rule.options.expand1 and not rule.alias and len(rule.expansion) == 1:
        builds = ""
    else:
        builds = rule.alias or origin
    return [origin, builds, len(rule.expansion), [i for i, symbol in enumerate(rule.expansion) if symbol.name.startswith("__")]]


def _print(starts: object, rules: list[Any], states: list[Any]) -> str:
    """One rule or state per line, so that a change of the grammar can be read as a difference."""

    def lines(rows: list[Any]) -> str:
        return ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)

    return f'{{"starts": {json.dumps(starts)},\n"rules": [\n{lines(rules)}\n],\n"states": [\n{lines(states)}\n]}}\n'


if __name__ == "__main__":
    Path(__file__).with_name("tables.json").write_text(make(), "utf-8")
