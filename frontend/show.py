"""The syntax tree as indented text, for `birc dump --stage ast`."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from birc.errors import Source, Span
from birc.frontend.ast import Module

HIDDEN = ("name_span", "unit_span", "op_span", "port_span")


def show_module(module: Module) -> str:
    """One line per node: its class, its small fields, and where it stands."""
    lines = [f"Module {module.source.name}"]
    stack: list[tuple[Any, int, str]] = [(part, 1, "") for part in reversed((*module.imports, *module.items))]
    while stack:  # no recursion: a sum of many terms is deep
        node, depth, label = stack.pop()
        if is_dataclass(node):
            line, inner = _node(node)
            lines.append(f"{'  ' * depth}{label}{line}")
            stack.extend((part, depth + 1, f"{name}: ") for name, part in reversed(inner))
        else:
            lines.append(f"{'  ' * depth}{label}{node!r}")
    return "\n".join(lines) + "\n"


def _node(node: Any) -> tuple[str, list[tuple[str, Any]]]:
    """A node's own line, and the parts below it by the names of their fields."""
    shown, inner = "", []
    for field in fields(node):
        x = getattr(node, field.name)
        if isinstance(x, (Source, Span)) or field.name in HIDDEN or x is None or x == ():
            continue
        if isinstance(x, tuple):
            inner += [(field.name, part) for part in x]
        elif is_dataclass(x):
            inner.append((field.name, x))
        else:
            shown += f" {field.name}={x!r}"
    span = getattr(node, "span", None)
    place = f"  # {span.line}:{span.column}" if isinstance(span, Span) else ""
    return f"{type(node).__name__}{shown}{place}", inner
