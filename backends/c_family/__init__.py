"""What the C-like languages share: how ops, literals and comments are written, and which words are taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from birc.backends import Dtype
from birc.backends.text import Syntax
from birc.ir.expr import Attr, Expr
from birc.ir.ops import Kind

Real = Literal["float", "double"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


C_TYPES: Mapping[Kind, str] = {"real": "real", "int": "count", "bool": "bool"}
"""`real` and `count` (an integer as wide as a real) are aliases that the frame declares."""

REALS: Mapping[Dtype, Real] = {"f64": "double", "f32": "float"}
COUNTS: Mapping[Dtype, str] = {"f64": "int64", "f32": "int32"}
STORAGE: Mapping[Kind, str] = {"real": "real", "int": "int32", "bool": "uint8"}
"""Types of the arrays that come from Python."""

INFIX: Mapping[str, tuple[str, int]] = {
    "or": ("|", 20),
    "and": ("&", 30),
    "eq": ("==", 40),
    "ne": ("!=", 40),
    "lt": ("<", 50),
    "le": ("<=", 50),
    "gt": (">", 50),
    "ge": (">=", 50),
    "add": ("+", 60),
    "sub": ("-", 60),
    "mul": ("*", 70),
    "div": ("/", 70),
}
"""`&` and `|` on bools evaluate both sides, which keeps loops free of branches."""

PREFIX: Mapping[str, tuple[str, int]] = {"neg": ("-", 80), "not": ("!", 80)}

FUNCTIONS = _words("abs exp expm1 exprel log log1p sqrt sin cos tan tanh sinh cosh sigmoid min max floor heaviside pow")
"""Ops that are functions of the frame's `birc` namespace."""

CALL: Mapping[str, str] = {
    **{name: f"birc::{name}({{0}})" for name in FUNCTIONS - {"min", "max", "pow"}},
    **{name: f"birc::{name}({{0}}, {{1}})" for name in ("min", "max", "pow")},
    "fma": "birc::fma({0}, {1}, {2})",
    "select": "({0} ? {1} : {2})",
}

OPS = frozenset((*INFIX, *PREFIX, *CALL))
"""Every op that the family can write."""

KEYWORDS = _words("""
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl concept const
    consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default delete do double dynamic_cast else enum
    explicit export extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or
    or_eq private protected public register reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast
    struct switch template this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t
    while xor xor_eq main typeof linux unix NULL

    threadIdx blockIdx blockDim gridDim warpSize atomicOr assert alloca offsetof half dim3 float2 float4 double2 int2 int4
""")
"""Words of C, C++ and CUDA."""

FRAME = _words("""
    real count flag lane lanes base tile job step stamp birc any fired raised slots bound inputs outputs payloads normals kept event
    int32 int64 uint8 uint32 uint64 LANES Lanes Job advance EACH TILE INLINE THREADS EXPORT each row due neuron
""")
"""Words that the frames of this family use where names of a model are in scope."""

RESERVED = KEYWORDS | FRAME


def comment(text: str) -> str:
    """Words from outside, made fit for a one-line `//` comment: no backslash, no line end, nothing but plain characters."""
    return re.sub(r"[^A-Za-z0-9_ .,:;/+*^()<>=%'\[\]{}|&!@#~-]", "_", text).rstrip()


def doc_comment(doc: str | None) -> list[str]:
    """A docstring as `//` lines."""
    return [f"// {comment(line)}".rstrip() for line in doc.strip().splitlines()] if doc else []


def literal(real: Real) -> Callable[[Attr], str]:
    """How this number type writes constants: a real always of the type itself, rounded once."""
    suffix = "f" if real == "float" else ""

    def write(value: Attr) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return f"count({value})"
        number = float(np.float32(value)) if real == "float" else float(value)  # type: ignore[arg-type]
        if number != number:
            return f'real(__builtin_nan{suffix}(""))'
        if number in (float("inf"), float("-inf")):
            return f"{'-' if number < 0 else ''}real(__builtin_inf{suffix}())"
        return f"{_shortest(number, real)}{suffix}"

    return write


def _shortest(number: float, real: Real) -> str:
    """The shortest decimal that reads back as this number."""
    text = str(np.float32(number)) if real == "float" else repr(number)
    return text if any(c in text for c in ".en") else f"{text}.0"


def syntax(real: Real, leaf: Callable[[Expr], str]) -> Syntax:
    """The writer of expressions; `leaf` knows how the frame names loads, inputs and values."""
    return Syntax(INFIX, PREFIX, CALL, literal(real), leaf)
