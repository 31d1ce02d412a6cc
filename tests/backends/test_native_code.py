"""What the compiler makes of a library model: vector instructions, no calls, and for float32 nothing that computes in double."""

from __future__ import annotations

import platform
import re
import subprocess
from pathlib import Path

import pytest

import birc
from birc.backends import Dtype, c_family
from birc.backends.c_family import build
from birc.backends.c_family.headers import header
from birc.ir.ops import TABLE
from birc.sources import neuron_files

pytestmark = [
    pytest.mark.skipif(build.find_compiler() is None, reason="no C++ compiler"),
    pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the instructions are those of x86-64"),
]

ARITHMETIC = re.compile(r"v?(add|sub|mul|div|sqrt|min|max|fn?m(add|sub)\d*|round|rndscale|scalef|getexp)(?P<width>[sp])(?P<type>[sd])$")
WIDENING = re.compile(r"v?cvt(t?s[sd]2sd|t?ps2pd|u?si2sd|u?[dq]q2pd)[a-z]?$")
"""To double: from float, or from whole numbers."""
FUNCTIONS = {row.name: row.arity for row in TABLE if row.name in c_family.FUNCTIONS}
ALLOWED = ("memcpy", "memset", "memmove", "GOMP", "omp_", "__stack_chk_fail", "__cxa", "_GLOBAL_OFFSET_TABLE_")


def instructions(text: str) -> list[str]:
    """The names of the instructions of an assembly."""
    return [line.split()[0] for line in text.splitlines() if line.startswith("\t") and not line.startswith("\t.")]


def calls(text: str) -> list[str]:
    """What is called or jumped to outside the text."""
    named = {line[:-1] for line in text.splitlines() if line.endswith(":") and not line.startswith(("\t", "."))}
    targets = re.findall(r"^\t(?:call|jmp)\s+([A-Za-z_]\w*)", text, re.MULTILINE)
    return [name for name in targets if name not in named]


def assembly(source: str, folder: Path) -> str:
    """A program as the compiler writes it out."""
    tool = build.compiler()
    text, made = folder / "model.cpp", folder / "model.s"
    text.write_text(source, "utf-8")
    flags = [flag for flag in tool.flags if flag != "-shared"]
    subprocess.run([tool.path, *flags, "-S", str(text), "-o", str(made)], check=True)
    return made.read_text("utf-8")


def program(model: str, dtype: Dtype, folder: Path) -> str:
    """The assembly of a library model."""
    (text,) = birc.compile(model, target="native", dtype=dtype).artifact.files.values()
    assert isinstance(text, str)
    return assembly(text, folder)


def draws(model: str) -> bool:
    """Whether it has noise: normal numbers are made in double and rounded at the end, for every number type."""
    return bool(birc.compile(model).step.noises)


@pytest.mark.slow
@pytest.mark.parametrize("model", [model for model in neuron_files() if not draws(model)])
def test_float32_computes_nothing_in_double(model: str, tmp_path: Path) -> None:
    names = instructions(program(model, "f32", tmp_path))
    double = [name for name in names if (found := ARITHMETIC.match(name)) and found["type"] == "d"]
    assert double == []
    assert [name for name in names if WIDENING.match(name)] == []


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("model", neuron_files())
def test_loops_over_lanes_are_vector_code_without_calls(model: str, dtype: Dtype, tmp_path: Path) -> None:
    text = program(model, dtype, tmp_path)
    assert [name for name in calls(text) if not name.startswith(ALLOWED)] == []
    found = [match for name in instructions(text) if (match := ARITHMETIC.match(name)) and match["type"] == {"f32": "s", "f64": "d"}[dtype]]
    assert any(match["width"] == "p" for match in found)
    assert {match[1] for match in found if match["width"] == "s"} <= {"add"}, "what events carry is added up one by one, and nothing else"


@pytest.mark.parametrize("kind", ["float", "double"])
def test_every_function_is_vector_code_in_its_own_type(kind: str, tmp_path: Path) -> None:
    text = "\n".join(header(f"birc_{name}.h") for name in ("types", "math"))
    for name, count in FUNCTIONS.items():
        arguments = ", ".join(f"{'xy'[i]}[i]" for i in range(count))
        text += f'\nextern "C" void of_{name}(const {kind}* __restrict x, const {kind}* __restrict y, {kind}* __restrict result) {{'
        text += f"\n    for (int i = 0; i < 256; i++) result[i] = birc::{name}({arguments});\n}}\n"
    made = assembly(text, tmp_path)
    assert calls(made) == []
    found = [match for name in instructions(made) if (match := ARITHMETIC.match(name))]
    assert {match["width"] + match["type"] for match in found} == {{"float": "ps", "double": "pd"}[kind]}
    assert [name for name in instructions(made) if kind == "float" and WIDENING.match(name)] == []


def test_the_test_sees_what_it_looks_for(tmp_path: Path) -> None:
    """A loop in double behind a float, and a call of the C library."""
    source = """
        #include <cmath>
        extern "C" void f(const float* x, float* y) { for (int i = 0; i < 256; i++) y[i] = float(std::tgamma(double(x[i]) * 1.5)); }
    """
    text = assembly(source, tmp_path)
    names = instructions(text)
    assert "tgamma" in [name.partition("@")[0] for name in calls(text)]
    assert any((found := ARITHMETIC.match(name)) and found["type"] == "d" for name in names)
    assert any(WIDENING.match(name) for name in names)


def test_vectors_are_as_wide_as_the_processor_has(tmp_path: Path) -> None:
    """For an Intel server with AVX-512, which compilers give vectors of half its width unless they are told."""
    tool = build.compiler()
    loop = "void halve(float* __restrict x) { for (int i = 0; i < 1024; i++) x[i] *= 0.5f; }\n"
    (tmp_path / "loop.cpp").write_text(loop, "utf-8")
    flags = ["-march=icelake-server" if flag == "-march=native" else flag for flag in tool.flags if flag != "-shared"]
    assert set(build.WIDEST) < set(flags)
    subprocess.run([tool.path, *flags, "-S", "loop.cpp", "-o", "loop.s"], check=True, cwd=tmp_path)
    assert "%zmm" in (tmp_path / "loop.s").read_text("utf-8")


def test_the_command_of_an_artifact_is_for_every_processor() -> None:
    artifact = birc.compile("lif", target="native").artifact
    (text,) = artifact.files.values()
    assert "// c++ -std=c++17 -O3 " in str(text)
    assert not [flag for flag in build.WIDEST if flag in str(text) or flag in artifact.manifest["compiler_flags"]]
