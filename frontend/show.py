"""The syntax tree as indented text, for `birc dump --stage ast`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from birc.errors import Source, Span
from birc.frontend.ast import Module

HIDDEN = ("name_span", "unit_span", "op_span", "port_span")


def show_module(module: Module) -> str:
    """One line per node: its class, its small fields, and where it stands."""
    lines = [f"Module {module.source.name}"]
    for part in (*module.imports, *module.items):
        lines += _node(part, 1, "")
    return "\n".join(lines) + "\n"


def _node(node: Any, depth: int, label: str) -> Iterator[str]:
    small: list[tuple[str, Any]] = []
    large: list[tuple[str, Any]] = []
    for field in fields(node):
        x = getattr(node, field.name)
        if isinstance(x, (Source, Span)) or field.name in HIDDEN or x is None or x == ():
            continue
        (large if is_dataclass(x) or isinstance(x, tuple) else small).append((field.name, x))
    shown = "".join(f" {name}={x!r}" for name, x in small)
    span = getattr(node, "span", None)
    place = f"  # {span.line}:{span.column}" if isinstance(span, Span) else ""
    yield f"{'  ' * depth}{label}{type(node).__name__}{shown}{place}"
    for name, x in large:
        for part in x if isinstance(x, tuple) else (x,):
            yield from _node(part, depth + 1, f"{name}: ") if is_dataclass(part) else iter((f"{'  ' * (depth + 1)}{name}: {part!r}",))
