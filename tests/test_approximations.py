"""What is not exact is named in the manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from birc import driver


def named(folder: Path, text: str) -> list[str]:
    file = folder / "m.birc"
    file.write_text(text)
    found: list[str] = driver.compile(file).artifact.manifest["approximations"]
    return found


def test_an_exact_model_has_none(tmp_path: Path) -> None:
    assert named(tmp_path, "neuron M:\n    noise xi\n    state v = 0\n    v' = -v / 5 ms + xi / sqrt(5 ms)\n") == []


@pytest.mark.parametrize(
    ("equations", "expected"),
    [
        (["v' = (v - v^3) / 5 ms + xi / sqrt(5 ms)"], ["v: rk4", "v: noise by Euler-Maruyama"]),
        (["v' = -v / 5 ms + v * xi / sqrt(5 ms)"], ["v: strang", "v: noise by Euler-Maruyama"]),
        (["v' = (v - v^3) / 5 ms", "x' = (v - x) / 5 ms"], ["v: rk4", "x: v held over the step"]),
        (["x' = -x / 5 ms", "v' = (x + v - v^3) / 5 ms"], ["v: rk4"]),
    ],
)
def test_each_is_named(tmp_path: Path, equations: list[str], expected: list[str]) -> None:
    states = ", ".join(f"{e[0]} = 0.5" for e in equations)
    noise = ["noise xi"] if any("xi" in e for e in equations) else []
    text = "\n    ".join(["neuron M:", *noise, f"state {states}", *equations])
    assert named(tmp_path, text + "\n") == expected


@pytest.mark.parametrize(("line", "said"), [("with surrogate fast_sigmoid", []), ("with store v as f16", [("L113", "warning", 6)])])
def test_a_with_line_without_effect_is_said(tmp_path: Path, line: str, said: list[tuple[str, str, int]]) -> None:
    text = f"neuron M:\n    state v = 0\n    v' = -v / 5 ms\n    spike when v >= 1:\n        v = 0\n    {line}\n"
    (tmp_path / "m.birc").write_text(text)
    found = driver.compile(tmp_path / "m.birc").warnings
    assert [(w.code, w.severity, w.span.line if w.span else 0) for w in found] == said
