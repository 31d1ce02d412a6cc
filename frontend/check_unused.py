"""Warnings: what is declared and never used."""

from __future__ import annotations

from birc.frontend import ast
from birc.frontend.body import declared_name
from birc.frontend.draft import Draft

WORDS: dict[type, str] = {
    ast.Param: "the parameter", ast.Let: "the `let`", ast.Function: "the function", ast.Input: "the input", ast.Noise: "the noise",
    ast.Name: "the noise", ast.Trace: "the trace", ast.Mechanism: "the channel",
}  # fmt: skip


def check_everything_is_used(draft: Draft) -> None:
    """M201: what a model declares is read somewhere in it. Extended models are left alone: their base may be meant for others."""
    used = {name.split(".")[0] for name in draft.scope.used}
    for part in draft.parts:
        named = declared_name(part.entry)
        word = WORDS.get(type(part.entry))
        if word is None or named is None or part.inherited or named[0] in used:
            continue
        draft.report.warn("M201", f"{word} `{named[0]}` is never used", named[1])
