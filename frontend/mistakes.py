"""Says what is wrong with a line that the grammar refuses: a list of rules, each one knows a mistake people make.

The rules are asked in order; the last one always has an answer.
"""

from __future__ import annotations

from collections.abc import Callable

from birc.errors import Diagnostic, Label, Span
from birc.frontend import habits
from birc.frontend.lalr import END
from birc.frontend.refusal import (
    HEADERS,
    NAMES,
    OPENERS,
    OPERATORS,
    PAIRS,
    VALUE_ENDS,
    VALUES,
    Refusal,
    meant,
    name_of,
    open_bracket,
    same_level,
    short,
)
from birc.frontend.tokens import Token
from birc.frontend.words import ITEM_WORDS, LINE_WORDS, NOT_UNITS, RESERVED, STATEMENT_WORDS, TOP_WORDS
from birc.suggest import closest


def explain(start: str, tokens: list[Token], at: int, accepts: frozenset[str]) -> Diagnostic:
    """What is wrong with a line that the grammar refuses at token `at`."""
    refusal = Refusal(start, tokens, at, accepts)
    return next(found for rule in RULES if (found := rule(refusal)) is not None)


def wrong_place(r: Refusal) -> Diagnostic | None:
    """A statement that exists, in a block where it cannot stand."""
    if r.at > 0 or r.start == "expression" or r.found == END:
        return None
    word = r.first.text
    if r.start == "top":
        if word in STATEMENT_WORDS or word == "send":
            help = "indent it below a header such as `neuron LIF:`"
            return Diagnostic("S046", f"`{word}` stands in the body of an item, not in the first column", r.first.span, help)
        near = closest(word, TOP_WORDS) if r.found in NAMES else None
        followed = len(r.tokens) > 1 and r.tokens[1].type in (*NAMES, "STRING")
        if followed or len(r.tokens) == 1:
            help = f"did you mean `{near}`?" if near else f"it is one of {', '.join(TOP_WORDS)}"
            return Diagnostic("S031", f"no item or import begins with `{short(word)}`", r.first.span, help)
        help = "equations and statements stand indented below a header such as `neuron LIF:`"
        return Diagnostic("S046", "only imports and items begin in the first column", r.first.span, help)
    if word in ITEM_WORDS:
        help = "begin it in the first column"
        return Diagnostic("S046", f"`{word}` begins an item and cannot stand inside another", r.first.span, help)
    if r.start == "member" and word in ("from", "send"):
        help = "imports stand at the top of the file" if word == "from" else "write it in the body of `on pre:` of a synapse"
        return Diagnostic("S046", f"`{word}` cannot stand here", r.first.span, help)
    if r.start in ("action", "rate") and word in LINE_WORDS:
        held = "assignments and `send`" if r.start == "action" else "two lines, `alpha = …` and `beta = …` or `inf = …` and `tau = …`"
        block = "the body of an event" if r.start == "action" else "a gate"
        help = "if it belongs to the model, indent it less"
        return Diagnostic("S046", f"`{word}` cannot stand in {block}, which holds {held}", r.first.span, help)
    return None


def unknown_statement(r: Refusal) -> Diagnostic | None:
    """`parm x = 1`, `sate v = 0`: a first word that begins no statement, with more behind it that no expression goes on with."""
    if r.at != 1 or r.first.type not in NAMES or r.start == "expression":
        return None
    if r.found not in VALUES - {"LPAR"} and r.found not in (END, "COLON") and r.found not in ("ON", "IN"):
        return None
    word = r.first.text
    candidates = STATEMENT_WORDS if r.start == "member" else ("send",) if r.start == "action" else ("alpha", "beta", "inf", "tau")
    near = closest(word, candidates)
    if near is None and r.found == END:
        return None
    help = f"did you mean `{near}`?" if near else None
    if help is None and r.start == "member":
        help = f"`{short(word)}` begins no statement; `birc explain S031` lists those that exist"
    return Diagnostic("S031", f"unknown statement `{short(word)}`", r.first.span, help)


def loose_string(r: Refusal) -> Diagnostic | None:
    """A docstring that does not stand right behind a header."""
    if r.first.type not in ("STRING", "DOCSTRING") or len(r.tokens) > 1:
        return None
    help = "a docstring stands alone on the first line of an item's body; write a comment with `#` elsewhere"
    return Diagnostic("S055", "a text stands here for no reason", r.first.span, help)


def spike_without_condition(r: Refusal) -> Diagnostic | None:
    if r.first.type != "SPIKE":
        return None
    if r.at == 1 or (r.at == 2 and r.found in (END, "COLON")) or (r.at == 3 and r.tokens[1].type == "ON" and r.found in (END, "COLON")):
        help = "write `spike when v >= v_th:` (a level) or `spike on rise v > 0 mV:` (an edge)"
        if r.at == 1 and r.found in VALUES:
            help = f"write `spike when {r.tokens[1].text} …`"
        return Diagnostic("S042", "`spike` needs a condition", r.first.span.to((r.before or r.first).span), help)
    return None


def reserved_name(r: Refusal) -> Diagnostic | None:
    """A reserved word where a name is expected."""
    if "NAME" not in r.accepts or r.at == len(r.tokens):
        return None
    word = r.tokens[r.at].text
    if word in LINE_WORDS or (word in RESERVED and not r.wants_value):
        help = f"choose another name, such as `{word}_`"
        return Diagnostic("S043", f"`{word}` is a reserved word and cannot be a name", r.span, help)
    return None


def primed_name(r: Refusal) -> Diagnostic | None:
    """`param v' = 1`: a prime behind a name that cannot have one."""
    if r.found != "PRIMED" or "PRIMED" in r.accepts or "NAME" not in r.accepts:
        return None
    return Diagnostic("S039", "a prime stands only behind the name of a state", r.span, f"write `{r.tokens[r.at].text.strip(chr(39))}`")


def wrong_bracket(r: Refusal) -> Diagnostic | None:
    """`f(x]`: closed by the bracket of the other kind."""
    if r.found not in PAIRS:
        return None
    opener = open_bracket(r)
    if opener is None or opener.type == PAIRS[r.found] or not (r.accepts & set(PAIRS)):
        return None
    labels = (Label(opener.span, "opened here"),)
    return Diagnostic("S011", f"{r.text} closes a `{opener.text}`", r.span, labels=labels)


def chained_comparison(r: Refusal) -> Diagnostic | None:
    if r.found != "COMPARE" or (r.before is not None and r.before.type not in VALUE_ENDS):
        return None
    earlier = same_level(r, frozenset(("COMPARE",)), frozenset(("AND", "OR", "NOT", "COMMA", "EQUAL", "THEN", "ELSE", "IF")))
    if earlier is None:
        return None
    help = "compare twice: `a < b and b < c`"
    return Diagnostic("S034", "comparisons do not chain", r.span, help, labels=(Label(earlier.span, ""),))


def equality_for_assignment(r: Refusal) -> Diagnostic | None:
    """`param x == 3`, `v == c` in a handler, `v' == -v`."""
    if "EQUAL" not in r.accepts:
        return None
    if r.found == "COMPARE" and r.tokens[r.at].text == "==":
        return Diagnostic("S036", "`==` compares", r.span, "write `=` to give a value")
    if r.found in (END, "COLON"):
        for token in r.tokens[: r.at]:
            if token.text == "==" and token.type == "COMPARE":
                return Diagnostic("S036", "`==` compares", token.span, "write `=` to give a value")
    return None


def assignment_for_equality(r: Refusal) -> Diagnostic | None:
    """`spike when v = 3`, `if a = b then`."""
    if r.found != "EQUAL":
        return None
    if "COMPARE" in r.accepts and (r.first.type in ("SPIKE", "EXPECT") or "THEN" in r.accepts):
        return Diagnostic("S035", "`=` gives a value, it does not compare", r.span, "write `==`, or `>=`")
    return None


def second_assignment(r: Refusal) -> Diagnostic | None:
    """`param a = 1 b = 2`, `x = y = 0`."""
    if r.found not in ("EQUAL", "CHANGE") or r.before is None:
        return None
    earlier = same_level(r, frozenset(("EQUAL", "CHANGE")), frozenset(("COMMA",)))
    if earlier is None:
        return None
    if r.before.type == "UNIT" and r.before.text.isidentifier():
        number = r.tokens[r.at - 2].text
        help = f"`{short(r.before.text)}` was read as the unit of {number}; write `{number}, {r.before.text} = …`"
        return Diagnostic("S033", f"a comma is missing before `{short(r.before.text)}`", r.before.span, help)
    return Diagnostic(
        "S033", "a second `=` in one assignment", r.span, "give each name its value on its own", labels=(Label(earlier.span, ""),)
    )


def swallowed_name(r: Refusal) -> Diagnostic | None:
    """`5 ms*exp(x)`: the unit takes a name along."""
    if r.before is None or r.before.type != "UNIT" or r.found not in ("LPAR", "DOT", "LSQB"):
        return None
    unit = r.before.text
    cut = max(unit.rfind("*"), unit.rfind("/"))
    if cut >= 0:
        number = r.tokens[r.at - 2].text
        help = f"write spaces: `{number} {unit[:cut]} {unit[cut]} {unit[cut + 1 :]}{r.tokens[r.at].text}…`"
        return Diagnostic("S008", f"`{unit}` is read as one unit", r.before.span, help)
    number = r.tokens[r.at - 2].text
    help = f"write `{number} * {unit}{r.tokens[r.at].text}…`"
    return Diagnostic("S032", f"an operator is missing between `{number}` and `{unit}`", r.before.span, help)


def unit_at_distance(r: Refusal) -> Diagnostic | None:
    """`20  ms`: the unit does not stand one space behind its number."""
    if r.before is None or r.before.type != "NUMBER" or r.found not in NAMES or r.tokens[r.at].text in NOT_UNITS:
        return None
    token = r.tokens[r.at]
    if token.line != r.before.line or token.column == r.before.end_column + 1:
        return None
    return Diagnostic("S005", "a unit stands one space behind its number", token.span, f"write `{r.before.text} {token.text}`")


def port_unit(r: Refusal) -> Diagnostic | None:
    """`input I: pA / cm^2`, `input f: 1/s`."""
    if r.first.type not in ("INPUT", "OUTPUT", "ON", "FN") and r.first.type not in HEADERS:
        return None
    if "UNIT" in r.accepts and "NUMBER" in r.accepts and "NAME" not in r.accepts:
        return Diagnostic("S053", f"a unit is expected here, found {r.text}", r.span, "write the unit, such as `pA`, or `1` for none")
    if r.before is None or r.at < 2 or r.tokens[r.at - 2].type != "COLON":
        return None
    if r.before.type == "NUMBER" and r.found in NAMES:
        help = f"write `{short(r.tokens[r.at].text)}`"
        return Diagnostic("S053", "a unit stands here, without a number", r.before.span.to(r.span), help)
    if r.found not in ("STAR", "SLASH", "CIRCUMFLEX"):
        return None
    if r.before.type != "UNIT" and r.before.text != "1":
        return None
    help = "a unit has no spaces: `uA/cm^2`" if r.before.type == "UNIT" else "write a power: `s^-1`"
    return Diagnostic("S053", "the unit of a port is one word", r.before.span.to(r.span), help)


def conditional_operand(r: Refusal) -> Diagnostic | None:
    if r.found != "IF" or not r.wants_value:
        return None
    help = "write `a + (if b then c else d)`"
    return Diagnostic("S052", "`if … then … else` needs brackets as an operand", r.span, help)


def incomplete_conditional(r: Refusal) -> Diagnostic | None:
    for word, code in (("THEN", "then"), ("ELSE", "else")):
        if word in r.accepts and (r.found in (END, "COLON", "RPAR", "COMMA", "EQUAL")):
            opening = next((token for token in reversed(r.tokens[: r.at]) if token.type == "IF"), r.first)
            help = "write `if a then b else c`"
            return Diagnostic("S033", f"`{code}` is missing", r.behind, help, labels=(Label(opening.span, "of this `if`"),))
    return None


def negated_operand(r: Refusal) -> Diagnostic | None:
    if r.found != "NOT" or not r.wants_value:
        return None
    return Diagnostic("S052", "`not` needs brackets as an operand", r.span, "write `a == (not b)`")


def missing_unit(r: Refusal) -> Diagnostic | None:
    """`input I`, `on exc(w):`: a port, payload or parameter without its unit."""
    if r.accepts != {"COLON"} or r.before is None or r.before.type not in NAMES:
        return None
    if r.first.type not in ("INPUT", "OUTPUT") and open_bracket(r) is None:
        return None
    help = f"write `{r.before.text}: pA`, or `{r.before.text}: 1` for none"
    return Diagnostic("S053", f"`{short(r.before.text)}` needs a unit", r.before.span, help)


def missing_count(r: Refusal) -> Diagnostic | None:
    """`population E: LIF`"""
    if r.first.type not in ("POPULATION", "SOURCE") or r.found != END or "LSQB" not in r.accepts or r.wants_value:
        return None
    return Diagnostic("S033", f"the count of this {r.first.text} is missing", r.behind, "write it behind the model: `LIF[800]`")


def missing_colon(r: Refusal) -> Diagnostic | None:
    """A header without its colon."""
    if "COLON" not in r.accepts or open_bracket(r) is not None or r.before is None:
        return None
    if r.found == END:
        return colon_missing(r.before)
    if r.found in OPERATORS:
        return None
    return Diagnostic("S030", f"expected `:` after `{short(r.before.text)}`, found {r.text}", r.span, meant(r))


def colon_missing(last: Token) -> Diagnostic:
    """A header ends with `last`, without its colon."""
    behind = Span(last.source, last.end_line, last.end_column, last.end_line, last.end_column + 1)
    return Diagnostic("S030", f"expected `:` after `{short(last.text)}`", behind)


def trailing_comma(r: Refusal) -> Diagnostic | None:
    if r.before is None or r.before.type != "COMMA" or r.found not in (END, "RPAR", "RSQB", "COLON", "COMMA"):
        return None
    return Diagnostic("S041", "nothing follows this comma", r.before.span, "delete the comma, or write what is missing")


def missing_value(r: Refusal) -> Diagnostic | None:
    """An operator, bracket or `=` with nothing behind it."""
    if not r.wants_value:
        return None
    if r.found == "PLUS":
        return Diagnostic("S032", "there is no unary `+`", r.span, "leave it out")
    if r.before is None:
        return Diagnostic("S032", f"expected a value, found {r.text}", r.span)
    if r.found == END:
        return Diagnostic("S032", f"a value is missing after `{short(r.before.text)}`", r.behind)
    return Diagnostic("S032", f"expected a value after `{short(r.before.text)}`, found {r.text}", r.span)


def missing_operator(r: Refusal) -> Diagnostic | None:
    """Two values side by side."""
    if r.before is None or r.before.type not in VALUE_ENDS or r.found not in VALUES or not r.accepts & OPERATORS:
        return None
    help = meant(r) or "write `*` for a product; a list has commas"
    return Diagnostic("S032", f"an operator is missing between `{short(r.before.text)}` and {r.text}", r.span, help)


def missing_range(r: Refusal) -> Diagnostic | None:
    if r.before is None or r.before.type != "IN" or not r.accepts <= OPENERS:
        return None
    return Diagnostic("S033", f"a range is expected after `in`, found {r.text}", r.span, "write `in [0, 1]`, `in (0 ms, inf)`")


def unassigned(r: Refusal) -> Diagnostic | None:
    """A value that stands alone, or a name that gets no value."""
    if r.accepts & {"EQUAL", "CHANGE"} and r.found in (END, "COMMA", "COLON", "IN") and r.before is not None:
        if r.first.type in VALUES | {"MINUS"}:
            return Diagnostic("S033", "an expression alone says nothing", r.first.span.to(r.before.span), "write `v' = …`, `let x = …`")
        return Diagnostic("S033", f"expected `=` and a value after `{short(r.before.text)}`", r.behind, FORMS.get(r.first.type))
    return None


FORMS = {
    "PARAM": "the unit of a parameter is that of its default: `param tau = 10 ms`",
    "STATE": "a state has an initial value, which gives it its unit: `state v = -65 mV`",
    "FN": "write `fn f(x: mV) = …`",
    "TRACE": "write `trace x of pre: tau = 20 ms`",
    "DRIVE": "write `drive I = 250 pA for 500 ms`",
    "WITH": "write `with solver rk4 on v`, `with surrogate fast_sigmoid`, `with store w as f16`, `with spikes located`",
    "POPULATION": "write `population E: LIF(tau_m = 10 ms)[800]`",
    "SOURCE": "write `source s: poisson(rate = 5 Hz)[800]`",
    "PROJECT": "write `project A -> B.exc: w = 40 pA, random(p = 0.1), axon = 1 ms`",
    "THIRD": "write `third A -> B.exc via G.glu: p = 0.5, w = 0.02 uM`",
    "SECTION": "write `section dend from soma(1): length = 600 um, diam = 2 um`",
    "INSERT": "write `insert Na, K in soma`, or `… everywhere`",
}
"""How the statements whose form is not guessed are written."""


def anything_else(r: Refusal) -> Diagnostic:
    """What was expected, where that is little; else what was found."""
    likely = r.accepts - OPERATORS - {"LPAR", "LSQB", "DOT", "UNIT"} or r.accepts
    if "NAME" in likely:
        likely -= NAMES - {"NAME"}
    expected = sorted(name_of(symbol) for symbol in likely)
    help = meant(r) or FORMS.get(r.first.type)
    if len(expected) <= 4:
        return Diagnostic("S033", f"expected {' or '.join(expected)}, found {r.text}", r.span, help)
    return Diagnostic("S033", f"{r.text} cannot stand here", r.span, help)


RULES: tuple[Callable[[Refusal], Diagnostic | None], ...] = (
    habits.foreign_statement, habits.derivative_as_a_quotient, habits.model_with_arguments, habits.handler_of_the_own_spike,
    habits.refractory_without_its_form, loose_string, wrong_place, spike_without_condition, habits.input_without_its_word,
    habits.product_without_a_sign, unknown_statement, reserved_name, primed_name, chained_comparison, equality_for_assignment,
    assignment_for_equality, second_assignment, swallowed_name, port_unit, habits.unit_in_pieces, habits.decimal_comma, unit_at_distance,
    trailing_comma, wrong_bracket, habits.condition_behind_a_value, conditional_operand, negated_operand, incomplete_conditional,
    missing_range, missing_value, missing_unit, missing_count, missing_colon, habits.drive_without_its_word, unassigned, missing_operator,
    anything_else,
)  # fmt: skip
