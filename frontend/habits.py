"""Mistakes that come from other languages and from paper: rules of `mistakes.py`."""

from __future__ import annotations

from birc.errors import Diagnostic
from birc.frontend.refusal import NAMES, OPENERS, VALUE_ENDS, Refusal, short
from birc.frontend.tokens import Token
from birc.units import NAMES as UNIT_NAMES

_FOREIGN = {
    "if": "there is no `if` statement; write a value `if a then b else c`, or a condition of `spike when`",
    "elif": "there is no `elif`; write `if a then b else if c then d else e`",
    "else": "there is no `else` statement; write a value `if a then b else c`",
    "when": "write `spike when v >= v_th:`",
    "for": "there are no loops: equations hold for all neurons of a population",
    "while": "there are no loops: equations hold at all times",
    "import": "write `from birc use LIF` or `from \"file.birc\" use Na`",
    "def": "write `fn f(x: mV) = …`",
    "function": "write `fn f(x: mV) = …`",
    "class": "write `neuron NAME:`",
    "return": "a function is one expression: `fn f(x: mV) = …`",
    "print": "write `record` in a network, or `--record` on the command line",
    "pass": "an empty body is left out together with its colon",
    "assert": "write `expect …` in a `check`",
    "parameters": "write `param a = 1, b = 2 ms`",
    "equations": "an equation is a statement of its own: `tau * v' = …`",
    "threshold": "write `spike when v >= v_th:`",
    "reset": "the reset is the body of `spike when …:`",
    "initial": "an initial value stands in `state v = -65 mV`",
    "var": "write `state v = 0 mV` or `let x = …`",
    "const": "write `param a = 1`",
}  # fmt: skip

MODELS = frozenset(("NEURON", "CHANNEL", "SYNAPSE", "ASTROCYTE", "CELL", "NETWORK"))


def foreign_statement(r: Refusal) -> Diagnostic | None:
    """`if x:`, `def f(x):`, `import numpy`: statements of other languages."""
    word = r.first.text
    if r.start == "expression" or word not in _FOREIGN or r.first.type == "STRING":
        return None
    called = len(r.tokens) > 1 and r.tokens[1].type == "LPAR"
    if r.at > 1 and not called and r.first.type not in ("IF", "ELSE"):
        return None
    if word == "if" and any(token.type == "THEN" for token in r.tokens[: r.at]):
        return None
    return Diagnostic("S038", f"`{word}` is not a statement of birc", r.first.span, _FOREIGN[word])


def derivative_as_a_quotient(r: Refusal) -> Diagnostic | None:
    """`d/dt v = …`"""
    if [token.text for token in r.tokens[:3]] != ["d", "/", "dt"]:
        return None
    name = r.tokens[3].text if len(r.tokens) > 3 and r.tokens[3].type in NAMES else "v"
    return Diagnostic("S044", "a derivative is written with a prime", r.first.span.to(r.tokens[2].span), f"write `{short(name)}' = …`")


def input_without_its_word(r: Refusal) -> Diagnostic | None:
    """`I: pA`, `I pA`"""
    if r.start != "member" or r.at != 1 or r.first.type != "NAME":
        return None
    rest = r.tokens[2:] if r.found == "COLON" else r.tokens[1:]
    if not rest or not (_is_unit(rest[0]) or [token.text for token in rest] == ["1"]):
        return None
    help = f"write `input {r.first.text}: {''.join(token.text for token in rest)}`"
    return Diagnostic("S031", f"unknown statement `{short(r.first.text)}`", r.first.span, short(help)) if len(rest) < 8 else None


def product_without_a_sign(r: Refusal) -> Diagnostic | None:
    """`C v' = …`"""
    if r.at != 1 or r.first.type not in NAMES or r.found != "PRIMED" or r.start != "member":
        return None
    name, state = short(r.first.text), short(r.tokens[1].text)
    return Diagnostic("S032", f"an operator is missing between `{name}` and `{state}`", r.tokens[1].span, f"write `{name} * {state} = …`")


def condition_behind_a_value(r: Refusal) -> Diagnostic | None:
    """`1 if v > 0 else 2`"""
    if r.found != "IF" or r.before is None or r.before.type not in VALUE_ENDS:
        return None
    return Diagnostic("S033", "`if` stands before its values", r.span, "write `if a then b else c`")


def decimal_comma(r: Refusal) -> Diagnostic | None:
    """`1,5 mV`"""
    if r.found != "NUMBER" or r.before is None or r.before.type != "COMMA" or r.at < 2 or r.tokens[r.at - 2].type != "NUMBER":
        return None
    whole, digits = r.tokens[r.at - 2], r.tokens[r.at]
    if digits.column != whole.end_column + 1:
        return None
    span = whole.span.to(digits.span)
    return Diagnostic(
        "S003", f"`{whole.text},{digits.text}` is not a number", span, f"decimals stand behind a point: `{whole.text}.{digits.text}`"
    )


def unit_in_pieces(r: Refusal) -> Diagnostic | None:
    """`5 uA cm^-2`, `5 (mV)`, `5 [mV]`, `5 1/ms`"""
    if r.before is None or r.at == len(r.tokens):
        return None
    rest = r.tokens[r.at :]
    if r.before.type == "UNIT" and _is_unit(rest[0]):
        number, power = r.tokens[r.at - 2].text, _power(rest)
        last = rest[len(power)]
        written = f"{r.before.text}*{rest[0].text}{''.join(power)}"
        if r.before.text == "per":
            written = f"{rest[0].text}^-1"
        return Diagnostic("S005", "a unit is one word, without spaces", r.before.span.to(last.span), f"write `{number} {written}`")
    if r.before.type != "NUMBER" or len(rest) < 2:
        return None
    if r.found in OPENERS and _is_unit(rest[1]):
        return Diagnostic(
            "S005", "a unit stands without brackets", rest[0].span.to(rest[1].span), f"write `{r.before.text} {rest[1].text}`"
        )
    if len(rest) > 2 and rest[0].text == "1" and rest[1].type == "SLASH" and _is_unit(rest[2]):
        help = f"write a power: `{r.before.text} {rest[2].text}^-1`"
        return Diagnostic("S005", "a unit is one word, without spaces", rest[0].span.to(rest[2].span), help)
    return None


def drive_without_its_word(r: Refusal) -> Diagnostic | None:
    """`I = 250 pA for 500 ms` in a check."""
    if r.found != "FOR" or r.first.type not in NAMES or r.tokens[1].type != "EQUAL":
        return None
    return Diagnostic("S033", "`for` stands only in a `drive`", r.span, f"write `drive {short(r.first.text)} = … for …`")


def model_with_arguments(r: Refusal) -> Diagnostic | None:
    """`neuron LIF(tau = 10 ms):`"""
    if r.first.type not in MODELS or r.at != 2 or r.found != "LPAR":
        return None
    help = f"write `{r.first.text} {r.tokens[1].text}:`, and below it `param …` for what is given to it"
    return Diagnostic("S033", f"the header of a {r.first.text} takes no arguments", r.span, help)


def handler_of_the_own_spike(r: Refusal) -> Diagnostic | None:
    """`on spike: v = 0 mV`"""
    if r.first.type != "ON" or r.at != 1 or r.found != "SPIKE":
        return None
    help = "write `spike when v >= v_th:` and the reset below it"
    return Diagnostic("S046", "what a spike does stands below its condition", r.first.span.to(r.span), help)


def refractory_without_its_form(r: Refusal) -> Diagnostic | None:
    """`refractory: 2 ms`, `refractory = t_ref`"""
    if r.first.type != "REFRACTORY" or r.at != 1 or r.found not in ("EQUAL", "COLON"):
        return None
    return Diagnostic("S033", f"the duration follows `refractory`, found {r.text}", r.span, "write `refractory 2 ms: hold v`")


def _power(tokens: list[Token]) -> list[str]:
    """The sign and number of a power behind the first of these tokens."""
    texts = [token.text for token in tokens[1:4]]
    size = 3 if texts[:2] == ["^", "-"] and len(texts) == 3 else 2 if texts[:1] == ["^"] and len(texts) > 1 else 0
    return texts[:size]


def _is_unit(token: Token) -> bool:
    return token.type in ("NAME", "UNIT") and token.text.split("^")[0].split("*")[0].split("/")[0] in UNIT_NAMES
