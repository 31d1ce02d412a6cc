"""Builds the loops over birc's functions and the C library's, and the program that judges them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from birc.backends.c_family import build
from birc.backends.c_family.headers import header

FOLDER = Path(__file__).parent
LIBRARY_FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffast-math")
"""With these the C library has vector functions."""


def birc_loops() -> str:
    """The text of the loops over birc's functions."""
    return "\n".join((header("birc_types.h"), header("birc_math.h"), (FOLDER / "loops.cpp").read_text("utf-8")))


def library_loops() -> str:
    """The text of the loops over the C library's functions."""
    return "#define LIBRARY\n" + (FOLDER / "loops.cpp").read_text("utf-8")


def compiled(text: str, flags: tuple[str, ...], made: Path) -> Path:
    """A C++ text as what the flags ask for."""
    source = made.with_suffix(".cpp")
    source.write_text(text, "utf-8")
    subprocess.run([build.compiler().path, *flags, str(source), "-o", str(made)], check=True)
    return made


def birc_flags() -> tuple[str, ...]:
    """What programs of the native target are built with."""
    return build.compiler().flags


def compiler_name() -> str:
    """The compiler and its version."""
    return build.compiler().version.splitlines()[0]


def processor_name() -> str:
    """The processor, as the system calls it."""
    words = dict(line.split("\t: ") for line in build.processor().splitlines() if "\t: " in line)
    return words.get("model name", build.processor().splitlines()[0])


def judge(folder: Path) -> Path:
    """The program `ulp`."""
    plain = tuple(flag for flag in birc_flags() if flag != "-shared")
    objects = (
        compiled(birc_loops(), (*plain, "-c"), folder / "birc.o"),
        compiled(library_loops(), (*LIBRARY_FLAGS, "-c"), folder / "library.o"),
        compiled(
            (FOLDER / "ulp.cpp").read_text("utf-8"),
            ("-std=gnu++17", "-O3", "-march=native", "-fno-trapping-math", "-fno-math-errno", "-fopenmp", "-c"),
            folder / "judge.o",
        ),
    )
    program = folder / "ulp"
    command = [build.compiler().path, "-fopenmp", *map(str, objects), "-o", str(program), "-lquadmath", "-lmvec", "-lm"]
    subprocess.run(command, check=True)
    return program
