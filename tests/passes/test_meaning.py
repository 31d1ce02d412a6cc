"""No pass changes what a model means: before and after it, on random numbers, for every neuron of the library and every small model.

Bit for bit; only a solver is compared with the interpreter's own way of solving, and rewrites of formulas with what they rewrote.
"""

from __future__ import annotations

import numpy as np
import pytest

from birc import passes
from birc.ir import solvers
from birc.ir.check import check_model, check_step
from birc.ir.evaluate import evaluate_model
from birc.ir.model import Model
from birc.ir.text import parse_step, print_step
from tests.passes.models import SMALL
from tests.passes.programs import LIBRARY, close, lowered, models_around, run, same_bits, steps_around
from tests.passes.written import evaluate_written, random_values

MODELS = LIBRARY | SMALL
INLINED = (
    "fold-constants",
    "simplify",
    "singular-quotients",
    "expand-powers",
    "classify-odes",
    "order-blocks",
    "choose-solvers",
    "guard-runaway",
)
REWRITES = {"singular-quotients": 1e-12, "expand-powers": 1e-12}
REARRANGED = ("reciprocals", "factor-sums", "share-exponentials")
SOLVERS = tuple(f"expand-{name.replace('_', '-')}" for name in solvers.SOLVERS)
STEPS = tuple(p.name for p in passes.PASSES if p.level == "step")
OPTIONAL = tuple(p.name for p in passes.PASSES if not p.needed)

each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())


@each_model
def test_inlining(model: Model) -> None:
    inlined = models_around(model, "inline-lets")[1]
    assert not inlined.lets and not inlined.functions and not inlined.uses
    values = random_values(inlined, 1)
    written, found = evaluate_written(model, values), evaluate_model(inlined, values)
    assert written.keys() == found.keys()
    for name in written:
        np.testing.assert_array_equal(written[name], found[name], err_msg=name)


@each_model
@pytest.mark.parametrize("name", INLINED)
def test_model_pass(name: str, model: Model) -> None:
    before, after = models_around(model, name)
    check_model(after)
    values = random_values(before, 2)
    one, two = evaluate_model(before, values), evaluate_model(after, values)
    assert one.keys() == two.keys()
    for what in one:
        if name in REWRITES:  # where the quotient was 0/0, the rewritten one has its limit
            here = np.isfinite(one[what])
            one[what], two[what] = (np.where(here, x[what], 0.0) for x in (one, two))
        np.testing.assert_allclose(two[what], one[what], rtol=REWRITES.get(name, 0.0), atol=0.0, err_msg=what)


@each_model
@pytest.mark.parametrize("name", STEPS)
def test_step_pass(name: str, model: Model) -> None:
    before, after = steps_around(model, name)
    check_step(after)
    for seed in (1, 2):
        one, two = run(before, seed), run(after, seed)
        if name in SOLVERS:
            close(one, two, 1e-10)
        elif name in REARRANGED:
            close(one, two, 1e-12)
        else:
            same_bits(one, two)


@each_model
@pytest.mark.parametrize("name", STEPS)
def test_a_pass_that_has_run_finds_nothing_more_to_do(name: str, model: Model) -> None:
    _, after = steps_around(model, name)
    assert passes.run(after, [name]) is after


@each_model
@pytest.mark.parametrize("name", OPTIONAL)
def test_an_optional_pass_can_be_left_out(name: str, model: Model) -> None:
    whole, without = lowered(model), lowered(model, skip=[name])
    if name in ("order-blocks", "guard-runaway"):  # these choose between approximations
        run(without, 3)
    else:
        close(run(whole, 3), run(without, 3), 1e-10)


@each_model
def test_the_final_program_reads_back(model: Model) -> None:
    step = lowered(model)
    assert parse_step(print_step(step)) == step
