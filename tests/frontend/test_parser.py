"""The parser: the tree of what is right, the message for what is wrong."""

from __future__ import annotations

import time
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from birc.errors import BircError, Source, Span
from birc.frontend import ast
from birc.frontend.lalr import END, tables
from birc.frontend.lines import MAX_LINE, MAX_NESTING, MAX_PROBLEMS
from birc.frontend.parser import parse, parse_expression, parse_partial, read_source
from birc.frontend.read import MAX_BYTES
from birc.frontend.tables import make
from birc.frontend.tokens import SIGNS
from birc.frontend.words import CONTEXTUAL, RESERVED, WORD_OF_TOKEN
from birc.suggest import closest

HERE = Path(__file__).parent
EXAMPLES = sorted((HERE / "examples").glob("*.birc"))
WRONG = sorted((HERE.parent / "errors").glob("S*.birc"))


def source(text: str) -> Source:
    return Source("m.birc", text)


def show(node: object) -> str:
    """An expression, fully bracketed, or any node as its fields without spans."""
    match node:
        case ast.Number(text, unit):
            return f"{text} {unit}" if unit else text
        case ast.Name(name, order=order):
            return name + "'" * order
        case ast.Member(base, name):
            return f"{show(base)}.{name}"
        case ast.Unary(op, operand):
            return f"({op} {show(operand)})"
        case ast.Binary(op, left, right):
            return f"({show(left)} {op} {show(right)})"
        case ast.Call(function, args, keywords):
            return f"{show(function)}({', '.join([*map(show, args), *(f'{k.name} = {show(k.value)}' for k in keywords)])})"
        case ast.Slice(base, start, stop):
            return f"{show(base)}[{'' if start is None else start}:{'' if stop is None else stop}]"
        case ast.Conditional(condition, then, otherwise):
            return f"(if {show(condition)} then {show(then)} else {show(otherwise)})"
        case tuple():
            return "[" + ", ".join(map(show, node)) + "]"
        case Source() | Span():
            return ""
    if is_dataclass(node) and not isinstance(node, type):
        parts = [(field.name, show(getattr(node, field.name))) for field in fields(node) if "span" not in field.name]
        return f"{type(node).__name__}({', '.join(f'{name}={value}' for name, value in parts if value)})"
    return str(node)


def only(statement: str, header: str = "neuron A:") -> object:
    """The one statement of an item."""
    (item,) = parse(source(f"{header}\n    {statement}\n")).items
    (node,) = item.body
    return node


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b - c", "((a add b) sub c)"),
        ("a - b * c / d", "(a sub ((b mul c) div d))"),
        ("-x^2", "(neg (x pow 2))"),
        ("a^b^c", "(a pow (b pow c))"),
        ("2^-x^2", "(2 pow (neg (x pow 2)))"),
        ("a * -b", "(a mul (neg b))"),
        ("--a", "(neg (neg a))"),
        ("(a + b) * c", "((a add b) mul c)"),
        ("not a < b and c or d", "(((not (a lt b)) and c) or d)"),
        ("if a then b else if c then d else e", "(if a then b else (if c then d else e))"),
        ("(if a then b else c) + 1", "((if a then b else c) add 1)"),
        ("20 ms", "20 ms"),
        ("0.1 mV^-1*ms^-1 * v", "(0.1 mV^-1*ms^-1 mul v)"),
        ("5 ms * m", "(5 ms mul m)"),
        ("5 ms*3", "(5 ms mul 3)"),
        ("x^2 / 3 ms", "((x pow 2) div 3 ms)"),
        ("2 mV ^ 2", "(2 mV pow 2)"),
        ("1 µA/cm^2", "1 uA/cm^2"),
        ("1 μM", "1 uM"),
        ("-60 mV", "(neg 60 mV)"),
        ("1e-3", "1e-3"),
        ("na.i", "na.i"),
        ("P.dend(0.5).exc", "P.dend(0.5).exc"),
        ("E[0:5].v", "E[0:5].v"),
        ("E[3].v", "E[3:4].v"),
        ("E[:5].v", "E[:5].v"),
        ("uniform(-60 mV, -50 mV)", "uniform((neg 60 mV), (neg 50 mV))"),
        ("f(a, b = inf)", "f(a, b = inf)"),
        ("poisson(2 kHz, 40 pA)", "poisson(2 kHz, 40 pA)"),
        ("pi * inf", "(pi mul inf)"),
        ("at + of * when / rise - every", "((at add ((of mul when) div rise)) sub every)"),
        ("x'' - x'", "(x'' sub x')"),
    ],
)
def test_expressions(text: str, tree: str) -> None:
    assert show(parse_expression(source(text))) == tree


@pytest.mark.parametrize("block", (HERE / "statements.txt").read_text("utf-8").split("\n\n"), ids=lambda block: block.split()[0])
def test_statements(block: str) -> None:
    """Each block of the file holds a statement and its node."""
    text, tree = block.strip().split("\n")
    assert show(only(text)) == tree


def test_blocks() -> None:
    module = parse(
        source(
            "from birc use LIF\n"
            'from "a/b.birc" use Na, K\n'
            "neuron A extends LIF:\n"
            '    """What it is,\n'
            '    in two lines."""\n'
            "    gate m: alpha = 1\n"
            "            beta = 2\n"
            "    gate h:\n"
            "        inf = 1\n"
            "        tau = 2 ms\n"
            "    spike when v > 1:\n"
            "        v = 0\n"
            "        b += 1\n"
            "synapse S: on pre: send w\n"
            "check Izhikevich.FS:\n"
            "    expect v > 0\n"
        )
    )
    assert [(i.file.value if i.file else None, [n.name for n in i.names]) for i in module.imports] == [
        (None, ["LIF"]),
        ("a/b.birc", ["Na", "K"]),
    ]
    first, second, third = module.items
    assert (first.kind, first.name, first.extends and first.extends.name, first.doc) == ("neuron", "A", "LIF", "What it is,\nin two lines.")
    assert show(first.body) == (
        "[Gate(name=m, rates=[Keyword(name=alpha, value=1), Keyword(name=beta, value=2)]), "
        "Gate(name=h, rates=[Keyword(name=inf, value=1), Keyword(name=tau, value=2 ms)]), "
        "Spike(mode=when, condition=(v gt 1), body=[Assign(target=v, op=None, value=0), Assign(target=b, op=add, value=1)])]"
    )
    assert show(second.body) == "[OnEvent(port=pre, payload=None, at=None, body=[Send(value=w)])]"
    assert (third.kind, third.name, third.preset) == ("check", "Izhikevich", "FS")


def test_lines_go_on_inside_brackets() -> None:
    node = only("let x = f(\n  a,   # why\n\n# more\n b\n    ) + 1")
    assert show(node) == "Let(name=x, value=(f(a, b) add 1))"


def test_spans() -> None:
    text = "neuron A:\n    tau * v' = (a +\n        b) * 20 ms\n"
    (equation,) = parse(source(text)).items[0].body
    assert isinstance(equation, ast.Equation) and isinstance(equation.value, ast.Binary)

    def place(span: Span) -> tuple[int, int, int, int]:
        return span.line, span.column, span.end_line, span.end_column

    assert place(equation.span) == (2, 5, 3, 19)
    assert place(equation.target.span) == (2, 11, 2, 13)
    assert place(equation.value.left.span) == (2, 16, 3, 11)
    assert place(equation.value.op_span) == (3, 12, 3, 13)
    assert isinstance(equation.value.right, ast.Number) and equation.value.right.unit_span
    assert place(equation.value.right.unit_span) == (3, 17, 3, 19)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_parse(path: Path) -> None:
    module = parse(read_source(path))
    assert module.items and all(item.body for item in module.items)


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_every_mistake_has_its_message(path: Path) -> None:
    with pytest.raises(BircError) as caught:
        parse(Source(path.name, read_source(path).text))
    message = str(caught.value).replace(str(path), path.name)
    golden = path.with_suffix(".txt")
    assert message + "\n" == golden.read_text("utf-8")
    assert path.stem in {diagnostic.code for diagnostic in caught.value.diagnostics}


def test_a_mistake_costs_its_line_only() -> None:
    module, problems = parse_partial(
        source("neuron A:\n    parm x = 1\n    state v = 0\nneuron B\n    nonsense here\nneuron C: state v = 1\n")
    )
    assert [problem.code for problem in problems] == ["S031", "S030"]
    assert [(item.name, len(item.body)) for item in module.items] == [("A", 1), ("C", 1)]


def test_tables_are_those_of_the_grammar() -> None:
    shipped = Path(parse.__code__.co_filename).with_name("tables.json").read_text("utf-8")
    assert shipped == make(), "run `python -m birc.frontend.tables`"


def test_words_are_those_of_the_grammar() -> None:
    known = {symbol for state in tables().states for symbol in state if symbol.isupper()}
    signs = {*SIGNS.values(), "NAME", "PRIMED", "NUMBER", "UNIT", "STRING", END}
    assert known - signs == set(WORD_OF_TOKEN)
    for word in sorted(CONTEXTUAL):
        assert show(only(f"let {word} = {word}")) == f"Let(name={word}, value={word})"
    for word in sorted(RESERVED):
        with pytest.raises(BircError):
            parse(source(f"neuron A:\n    let {word} = 1\n"))


def test_closest() -> None:
    assert closest("nueron", ["network", "neuron"]) == "neuron"
    assert closest("LIf", ["LIF", "ALIF"]) == "LIF"
    assert closest("zebra", ["neuron", "channel"]) is None
    assert closest("v" * 100_000, ["v"]) is None


HEAD = "neuron A:\n    let x = "


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEAD + "(" * 10_000 + "1" + ")" * 10_000, "S012"),
        (HEAD + "(" * 10_000, "S010"),
        (HEAD + "-" * 10_000 + "1", "S012"),
        (HEAD + "not " * 10_000 + "a", "S012"),
        (HEAD + "a^" * 10_000 + "1", "S012"),
        (HEAD + "if a then b else " * 5_000 + "c", "S012"),
        (HEAD + "a" + ".b" * 20_000, "S012"),
        (HEAD + " + ".join(["a"] * 20_000), "S012"),
        (HEAD + " + ".join(["a"] * 50_000), "S013"),
        ("x" * (MAX_LINE + 1), "S013"),
        (HEAD + "(\n1" * 20_000, "S010"),
        ("x\n" * MAX_BYTES, "S014"),
        (HEAD + "9" * 50_000, "S004"),
        (HEAD + "1e-99999999999", "S004"),
        (HEAD + "'" * 90_000, "S007"),
        (HEAD + "3'" * 40_000, "S039"),
        ("\n".join(" " * i + "neuron A:" for i in range(1000)), "S046"),
    ],
    ids=lambda value: value if len(value) == 4 else "",
)
def test_hostile_files_end_in_a_message(text: str, code: str) -> None:
    started = time.process_time()
    with pytest.raises(BircError) as caught:
        parse(source(text))
    assert caught.value.code == code
    assert time.process_time() - started < 20


def test_nesting_up_to_the_limit() -> None:
    parse(source(HEAD + "(" * MAX_NESTING + "1" + ")" * MAX_NESTING))
    parse(source(HEAD + " + ".join(["a"] * MAX_NESTING)))


def test_many_mistakes_are_cut_short() -> None:
    with pytest.raises(BircError) as caught:
        parse(source("neuron A:\n" + "    parm x = 1\n" * 3 * MAX_PROBLEMS))
    codes = [diagnostic.code for diagnostic in caught.value.diagnostics]
    assert codes == ["S031"] * MAX_PROBLEMS + ["S054"]


@pytest.mark.parametrize(
    ("text", "code"), [("", "S032"), ("a +", "S032"), ("a b", "S032"), ("a\nb", "S033"), ("a\n  b", "S033"), ("if a", "S033")]
)
def test_expressions_alone(text: str, code: str) -> None:
    with pytest.raises(BircError) as caught:
        parse_expression(source(text))
    assert caught.value.code == code


def test_reading(tmp_path: Path) -> None:
    (tmp_path / "izhikevich.birc").write_bytes(b"\xef\xbb\xbfneuron A:\r\n    state v = 0\r\n")
    assert len(parse(read_source(tmp_path / "izhikevich.birc")).items[0].body) == 1
    (tmp_path / "big.birc").write_bytes(b"#" * (MAX_BYTES + 1))
    (tmp_path / "zero.birc").write_bytes(b"neuron\0")
    for name, code, words in [
        ("izhikevic.birc", "I001", "did you mean"),
        ("izhikevich.birc/x", "I001", "is a file"),
        ("no/such.birc", "I001", "no folder"),
        ("", "I002", "big.birc"),
        ("big.birc", "S014", "1 MB"),
        ("zero.birc", "S015", "byte 6"),
        ("a\0b", "I001", "no file"),
    ]:
        with pytest.raises(BircError) as caught:
            read_source(f"{tmp_path}/{name}")
        assert caught.value.code == code and words in str(caught.value)
