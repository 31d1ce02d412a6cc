"""The generator makes models that the front end accepts, of great variety, and the shrinker keeps what matters."""

from __future__ import annotations

import re

import pytest

from birc.errors import Source
from birc.frontend.load import load
from birc.ir.check import check_model, check_step
from birc.ir.model import Model
from birc.ir.step import Step
from birc.ir.text import parse, print_module
from birc.passes import PIPELINES, run
from tests.fuzz.generate import random_model
from tests.fuzz.shrink import shrink

SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_models_are_well_formed(seed: int) -> None:
    module = load(Source(f"fuzz_{seed}.birc", random_model(seed)))
    assert parse(print_module(module.items)) == module.items
    model = module.items[-1]
    assert isinstance(model, Model)
    check_model(model)
    step = run(model, PIPELINES["step"])
    assert isinstance(step, Step)
    check_step(step, final=True)
    assert parse(print_module((step,))) == (step,)


def test_the_same_seed_gives_the_same_text() -> None:
    assert random_model(5) == random_model(5)
    assert random_model(5) != random_model(6)


@pytest.mark.parametrize(
    "construct",
    [
        r"^    param .* learn$", r"^    state .* in \[", r"^    let ", r"^    fn ", r"^    gate .*:\n +alpha", r"^    gate .*:\n +inf",
        r"''", r"^    step ", r"^    noise ", r"^    use ", r"^channel ", r"^    on .*:\n.*\+=", r"^    on .*:\n.*max\(", r"\*=",
        r"spike when", r"spike on rise", r"refractory .*: hold", r"refractory [^:]*$", r"^    output ", r"\(if .* then .* else ",
        r" and ", r" or ", r"not \(", r"exprel", r"exp\(\(", r"==", r"^    with solver ",
    ],
)  # fmt: skip
def test_constructs_occur(construct: str) -> None:
    assert any(re.search(construct, random_model(seed), re.MULTILINE) for seed in range(200))


def test_shrinks_to_what_matters() -> None:
    text = random_model(3)
    assert "spike" in text

    def fails(candidate: str) -> bool:
        model = load(Source("candidate.birc", candidate)).items[-1]
        return isinstance(model, Model) and model.spike is not None and len(model.spike.body) > 0

    small = shrink(text, fails)
    assert fails(small)
    assert len(small.splitlines()) <= 5
    assert len(small) < 130
