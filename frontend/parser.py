"""From text to the syntax tree. Each logical line is parsed on its own, so that a mistake costs its line and all are reported at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from inspect import cleandoc
from typing import Any

from birc.errors import BircError, Diagnostic, Source, Span
from birc.frontend import ast, lalr, mistakes
from birc.frontend.lines import MAX_NESTING, MAX_PROBLEMS, MAX_TERMS, Line, read_lines
from birc.frontend.read import MAX_BYTES, read_source
from birc.frontend.refusal import HEADERS
from birc.frontend.tree import BUILD
from birc.frontend.words import TOP_WORDS

__all__ = ["parse", "parse_expression", "parse_partial", "read_source"]


def parse(source: Source) -> ast.Module:
    """The syntax tree of a file; raises one error with all syntax mistakes of the file."""
    module, problems = parse_partial(source)
    if problems:
        raise BircError.of(problems)
    return module


def parse_partial(source: Source) -> tuple[ast.Module, tuple[Diagnostic, ...]]:
    """What could be parsed of a file, and its syntax mistakes in the order of the text."""
    if len(source.text) > MAX_BYTES:
        start = Span(source, 1, 1, 1, 1)
        problem = Diagnostic("S014", f"a model file of more than {MAX_BYTES // 1_000_000} MB", start)
        return ast.Module(source, (), ()), (problem,)
    lines = read_lines(source)
    if not lines.top and not lines.problems:
        help = "a model begins with a line such as `neuron LIF:`"
        problem = Diagnostic("S016", "this file holds no model", Span(source, 1, 1, 1, 1), help)
        return ast.Module(source, (), ()), (problem,)
    parser = _Parser(lines.problems)
    module = parser.module(source, lines.top)
    problems = sorted(parser.problems, key=lambda p: (p.span.line, p.span.column) if p.span else (0, 0))
    if len(problems) > MAX_PROBLEMS:
        last = problems[MAX_PROBLEMS]
        problems = [*problems[:MAX_PROBLEMS], Diagnostic("S054", "more mistakes follow; mend these first", last.span)]
    return module, tuple(problems)


def parse_expression(source: Source) -> ast.Expr:
    """One expression alone, such as a value given on the command line."""
    lines = read_lines(source)
    if not lines.top:
        raise BircError("S032", "an expression is missing", Span(source, 1, 1, 1, 1))
    first = lines.top[0]
    if len(lines.top) > 1 or first.children:
        second = first.children[0] if first.children else lines.top[1]
        raise BircError("S033", "one expression stands here", second.tokens[0].span)
    parser = _Parser([])
    expression: ast.Expr | None = parser.parsed("expression", first)
    if expression is None:
        raise BircError.of(parser.problems)
    return expression


CHAINS: dict[ast.BinaryOp, str] = {"add": "sum", "sub": "sum", "mul": "product", "div": "product", "and": "and", "or": "or"}
"""Operations that stand in a row without nesting."""
MARGIN = 8
"""Levels that a statement and the brackets of its calls add to those of its expressions."""


@dataclass
class _Parser:
    """Goes through the tree of lines and collects what is wrong; a line with a mistake takes the block below it along."""

    problems: list[Diagnostic]

    def parsed(self, start: str, line: Line) -> Any:
        """The node of one line, None if it has a mistake."""
        if len(self.problems) > MAX_PROBLEMS:
            return None
        if line.stray is not None:
            self.problems.append(line.stray)
        if line.problem is not None:
            self.problems.append(line.problem)
            return None
        try:
            node = lalr.run(start, line.tokens, BUILD)
        except lalr.Unexpected as unexpected:
            self.problems.append(mistakes.explain(start, line.tokens, unexpected.at, unexpected.accepts()))
            return None
        except BircError as error:
            self.problems.extend(error.diagnostics)
            return None
        if len(line.tokens) > MAX_NESTING and (problem := _too_large(node)) is not None:
            self.problems.append(problem)
            return None
        return node

    def module(self, source: Source, lines: list[Line]) -> ast.Module:
        imports: list[ast.Import] = []
        items: list[ast.Item] = []
        self.top(lines, imports, items)
        return ast.Module(source, tuple(imports), tuple(items))

    def top(self, lines: list[Line], imports: list[ast.Import], items: list[ast.Item]) -> None:
        """Imports and items; behind a header without a body, lines that were not indented are passed over."""
        bare = False
        for line in lines:
            if bare and line.tokens[0].text not in TOP_WORDS:
                continue
            bare = False
            match self.parsed("top", line):
                case ast.Import() as node:
                    imports.append(node)
                    self.no_block(line)
                    self.top(line.children, imports, items)
                case ast.Item() as node:
                    items.append(self.item(node, line))
                    bare = not node.body and not line.children

    def item(self, item: ast.Item, line: Line) -> ast.Item:
        doc, lines = self.docstring(self.block(line, bool(item.body)))
        return replace(item, doc=doc, body=(*item.body, *self.members(lines)))

    def docstring(self, lines: list[Line]) -> tuple[str | None, list[Line]]:
        """The docstring that opens a body, and the lines behind it."""
        if not lines or lines[0].problem is not None or len(lines[0].tokens) > 1:
            return None, lines
        token = lines[0].tokens[0]
        if token.type == "STRING":
            doc = token.text[1:-1]
        elif token.type == "DOCSTRING":
            doc = cleandoc(token.text[3:-3])
        else:
            return None, lines
        self.no_block(lines[0])
        return doc, [*lines[0].children, *lines[1:]]

    def members(self, lines: list[Line]) -> list[ast.Statement]:
        statements: list[ast.Statement] = []
        for line in lines:
            statement = self.parsed("member", line)
            match statement:
                case None:
                    continue
                case ast.OnEvent():
                    body = self.actions("action", self.block(line, bool(statement.body)))
                    statements.append(replace(statement, body=(*statement.body, *body)))
                case ast.Spike():
                    statements.append(self.spike(statement, line))
                case ast.Gate():
                    statements.append(self.gate(statement, line))
                case _:
                    statements.append(statement)
                    self.no_block(line)
                    statements.extend(self.members(line.children))
        return statements

    def spike(self, spike: ast.Spike, line: Line) -> ast.Spike:
        """A spike's body may be absent, together with its colon."""
        colon = spike.body or line.tokens[-1].type == "COLON"
        if colon:
            self.block(line, bool(spike.body))
        elif line.children:
            self.problems.append(mistakes.colon_missing(line.tokens[-1]))
        actions = self.actions("action", line.children)
        for action in actions:
            if isinstance(action, ast.Send):
                self.problems.append(Diagnostic("S046", "`send` stands only in an event of a synapse", action.span))
        return replace(spike, body=(*spike.body, *(action for action in actions if isinstance(action, ast.Assign))))

    def gate(self, gate: ast.Gate, line: Line) -> ast.Gate:
        """A gate's first line may stand behind its colon, the second below it."""
        count = len(self.problems)
        if not line.children and not gate.rates:
            self.block(line, False)
        rates = (*gate.rates, *self.actions("rate", line.children))
        names = {rate.name for rate in rates}
        if len(self.problems) == count and (len(rates) != 2 or names not in ({"alpha", "beta"}, {"inf", "tau"})):
            help = "a gate has two lines, `alpha = …` and `beta = …` or `inf = …` and `tau = …`"
            found = " and ".join(f"`{rate.name}`" for rate in rates)
            self.problems.append(Diagnostic("S051", f"gate `{gate.name}` has {found}", gate.span, help))
        return replace(gate, rates=rates)

    def actions(self, start: str, lines: list[Line]) -> list[Any]:
        actions: list[Any] = []
        for line in lines:
            action = self.parsed(start, line)
            if action is not None:
                actions.append(action)
                self.no_block(line)
                actions.extend(self.actions(start, line.children))
        return actions

    def block(self, line: Line, complete: bool) -> list[Line]:
        """The lines below a header; one that is `complete` on its own line has none."""
        last = line.tokens[-1]
        if complete and line.children:
            self.no_block(line)
        if not complete and not line.children:
            help = "write a statement behind the colon, or a block indented by four spaces below"
            self.problems.append(Diagnostic("S023", "a body is missing behind this colon", last.span, help))
        return line.children

    def no_block(self, line: Line) -> None:
        """Reports a block below a line that can have none."""
        if not line.children:
            return
        first = line.children[0]
        colon = next((token for token in line.tokens if token.type == "COLON"), None)
        if colon is not None and line.tokens[0].type in HEADERS:
            help = "write the whole body on one side of the line break"
            self.problems.append(Diagnostic("S024", "this header has its body behind the colon already", first.tokens[0].span, help))
        else:
            help = f"the line above opens no block; indent by {line.indent}"
            self.problems.append(Diagnostic("S021", "this line is indented for no reason", first.tokens[0].span, help))


def _too_large(node: object) -> Diagnostic | None:
    """S012: how deep a tree nests, and how many terms stand in one sum, has an end; it is walked level by level, without recursion."""
    help = "name parts of it with `let`"
    level: list[Any] = [node]
    for _ in range(MAX_NESTING + MARGIN):
        below: list[Any] = []
        for part in level:
            inner = _inside(part)
            if isinstance(part, ast.Binary) and len(inner) > MAX_TERMS:
                return Diagnostic("S012", f"more than {MAX_TERMS} operands stand in a row here", part.span, help)
            below += inner
        level = [part for part in below if hasattr(part, "__dataclass_fields__") and not isinstance(part, Span)]
        if not level:
            return None
    return Diagnostic("S012", f"an expression nests more than {MAX_NESTING} deep here", level[0].span, help)


def _inside(part: Any) -> list[Any]:
    """What stands one level below a node; the operands of a chain such as `a + b - c` are all on one level."""
    found: list[Any] = []
    if isinstance(part, ast.Binary) and part.op in CHAINS:
        chain = CHAINS[part.op]
        while isinstance(part, ast.Binary) and CHAINS.get(part.op) == chain:
            found.append(part.right)
            part = part.left
        return [*found, part]
    for name in part.__dataclass_fields__:
        value = getattr(part, name)
        found.extend(value if isinstance(value, tuple) else (value,))
    return found
