"""The table of diagnostic codes: what `birc explain CODE` prints, and the exit code each leads to.

First letter: S syntax, N names, U units, M rules of models, L lowering and targets, I inputs and arguments of a run, R run time,
V verification, C checks, A command line, X environment.
Exit: 1 the model or verification is at fault, 2 wrong usage, 3 the environment lacks something.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

EXIT_OF_LETTER = {"S": 1, "N": 1, "U": 1, "M": 1, "L": 1, "R": 1, "V": 1, "C": 1, "I": 2, "A": 2, "X": 3}


@dataclass(frozen=True)
class Code:
    """One code: a title and a page that explains it."""

    code: str
    title: str
    page: str

    @property
    def exit(self) -> int:
        """The exit code of the command line when this is the first error."""
        return EXIT_OF_LETTER[self.code[0]]


def exit_of(code: str) -> int:
    """The exit code that belongs to a diagnostic code."""
    return EXIT_OF_LETTER.get(code[:1], 1)


def load() -> dict[str, Code]:
    """All codes with their pages, read from `codes.md`."""
    text = resources.files("birc").joinpath("codes.md").read_text("utf-8")
    return {code.code: code for code in _parse(text)}


def _parse(text: str) -> list[Code]:
    codes = []
    for part in text.split("\n## ")[1:]:
        head, _, page = part.partition("\n")
        name, _, title = head.partition(" ")
        codes.append(Code(name, title.strip(), page.strip()))
    return codes
