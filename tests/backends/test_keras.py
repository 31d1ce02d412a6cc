"""The Keras target's text: emission needs no Keras. What it computes is tested in `test_keras_layer`."""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from birc import driver, sources
from birc.backends.keras import BACKEND
from birc.backends.keras.emit import nothing_arrives
from birc.errors import BircError
from birc.ir.expr import const, make, op, value
from birc.ir.options import SURROGATES
from birc.ir.step import Define, Phase, Step
from tests.backends.programs import at, lif, load
from tests.conftest import Golden

LIBRARY = sources.neuron_files()

ODD = '''
neuron None_:
    """A doc with \\"\\"\\" and a backslash \\\\ at its end."""
    param lambda = 5 ms in (0 ms, inf), units = 1, self = 2, np = 3, dt = 1, ops = 1, bind = 1, PARAMETERS = 1
    state call = 0, spike_ = 0, z = 0, margin = 0
    input inputs: 1
    lambda * call' = -units * call + self * inputs + np * dt * 0
    step z = call + ops
    step margin = bind + PARAMETERS + spike_
    on state_(events: 1): call += events
    spike when call >= 1:
        call = 0
'''


def lowered(folder: Path, text: str) -> Step:
    """The last model of a text."""
    file = folder / "model.birc"
    file.write_text(text)
    return driver.lower(sources.choose(sources.load(file), None)[0])[1]


def library_step(name: str) -> Step:
    return driver.lower(sources.choose(sources.load(name), None)[0])[1]


def text_of(step: Step) -> str:
    (content,) = BACKEND.emit(step, "f32").files.values()
    assert isinstance(content, str)
    return content


def test_text_of_a_model(golden: Golden) -> None:
    text = text_of(library_step("lif"))
    golden.check("golden/backends/keras_lif.txt", text[text.index("# --- the model") : text.index("# --- the spike")])


@pytest.mark.parametrize("name", LIBRARY)
def test_a_module_is_self_contained(name: str) -> None:
    nodes = list(ast.walk(ast.parse(text_of(library_step(name)))))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} - sys.stdlib_module_names == {"keras", "numpy"}


def test_the_number_type_does_not_change_the_text() -> None:
    assert BACKEND.emit(lif(), "f64").files == BACKEND.emit(lif(), "f32").files


def test_reserved_names_are_renamed_and_told(tmp_path: Path) -> None:
    step = lowered(tmp_path, ODD)
    artifact = BACKEND.emit(step, "f32")
    names = artifact.manifest["names"]
    assert artifact.manifest["arguments"] == {
        "lambda": "lambda_", "units": "units_", "self": "self_", "np": "np_", "dt": "dt_", "ops": "ops_", "bind": "bind_",
        "PARAMETERS": "PARAMETERS_",
    }  # fmt: skip
    assert len(set(names.values())) == len(names)
    ast.parse(text_of(step))


SPIKING = """
neuron S:
    state v = 0
    input I: 1
    v' = (I - v) / 10 ms
    spike when v >= 1:
        v = 0
"""


@pytest.mark.parametrize("name", SURROGATES)
def test_the_model_s_surrogate_is_the_layer_s(name: str, tmp_path: Path) -> None:
    given = {argument: 1.5 + i for i, argument in enumerate(SURROGATES[name])}
    line = f"    with surrogate {name}" + (f"({', '.join(f'{a} = 2 * {x / 2}' for a, x in given.items())})" if given else "")
    artifact = BACKEND.emit(lowered(tmp_path, f"{SPIKING}{line}\n"), "f32")
    wanted = {"name": name, **given} if given else name
    assert artifact.manifest["surrogate"] == wanted
    (text,) = artifact.files.values()
    assert f"\nSURROGATE = {json.dumps(wanted)}\n" in str(text)


def test_a_model_without_a_surrogate_has_the_usual_one(tmp_path: Path) -> None:
    artifact = BACKEND.emit(lowered(tmp_path, SPIKING), "f32")
    assert artifact.manifest["surrogate"] == "fast_sigmoid"


@pytest.mark.parametrize(("argument", "value"), [("beta", "0"), ("beta", "-2"), ("beta", "1 / 0")])
def test_a_surrogate_without_a_shape_is_refused(argument: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(BircError) as caught:
        lowered(tmp_path, f"{SPIKING}    with surrogate fast_sigmoid({argument} = {value})\n")
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.line if found.span else 0) == ("M108", 8)
    assert found.message.endswith("it shapes a surrogate when it is above 0 and finite")


def test_a_density_may_be_without_sides(tmp_path: Path) -> None:
    artifact = BACKEND.emit(lowered(tmp_path, f"{SPIKING}    with surrogate multi_gaussian(height = 0)\n"), "f32")
    assert artifact.manifest["surrogate"] == {"name": "multi_gaussian", "height": 0.0}


def test_ir_text_with_a_surrogate_that_there_is_not(tmp_path: Path) -> None:
    (tmp_path / "s.birc").write_text(f"{SPIKING}    with surrogate fast_sigmoid(beta = 2)\n")
    text = driver.dump(tmp_path / "s.birc", "model")
    for wrong in ("fast_sigmoidal (beta = 2.0)", "fast_sigmoid (gamma = 2.0)", "fast_sigmoid (beta = 0.0)"):
        changed = text.replace("fast_sigmoid (beta = 2.0)", wrong)
        assert changed != text
        (tmp_path / "s.bir").write_text(changed)
        with pytest.raises(BircError, match="S209"):
            driver.compile(tmp_path / "s.bir", "keras")


def test_a_model_called_like_a_word_of_python(tmp_path: Path) -> None:
    step = lowered(tmp_path, ODD.replace("None_", "keras"))
    artifact = BACKEND.emit(step, "f32")
    assert list(artifact.files) == ["keras_.py"]
    assert artifact.manifest["layer"] == "keras_"


def test_ops_that_there_are_not_are_refused_at_once() -> None:
    step = lif()
    odd = Define("odd", make("steps", (load("v"), load("v"))), at(9))
    odder = Define("odder", op("propagator", load("v")), at(10))
    refused = BACKEND.refuse(replace(step, phases=(Phase("input", (*step.phases[0].body, odd, odder)), *step.phases[1:])), "f32")
    assert [(d.code, d.message, d.span) for d in refused] == [
        ("L201", "Keras has no `steps`", at(9)),
        ("L201", "Keras has no `propagator`", at(10)),
    ]


LEARNED = """neuron A:
    param tau = 20 ms in (0 ms, inf) learn, t_ref = 2 ms in [0 ms, inf) learn
    param D = 1 ms in [0 ms, inf) learn, v_th = 1 learn
    state v = 0, u = 0
    input I: 1
    noise xi
    tau * v' = -v + u + I
    tau * u' = -u + sqrt(D) * xi
    spike when v >= v_th:
        v = 0
    refractory t_ref: hold v
"""
REFUSED = """\
error[L302]: Keras cannot learn `tau`: it goes into the factor of a noise's covariance, whose derivative is not made
  model.birc:2:11
  2 |     param tau = 20 ms in (0 ms, inf) learn, t_ref = 2 ms in [0 ms, inf) learn
    |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: declare it without `learn`

error[L302]: Keras cannot learn `t_ref`: it is counted in whole steps, which have no derivative
  model.birc:2:45
  2 |     param tau = 20 ms in (0 ms, inf) learn, t_ref = 2 ms in [0 ms, inf) learn
    |                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: declare it without `learn`

error[L302]: Keras cannot learn `D`: it goes into the factor of a noise's covariance, whose derivative is not made
  model.birc:3:11
  3 |     param D = 1 ms in [0 ms, inf) learn, v_th = 1 learn
    |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: declare it without `learn`"""


def test_parameters_without_a_derivative_are_refused_at_once(tmp_path: Path) -> None:
    step = lowered(tmp_path, LEARNED)
    with pytest.raises(BircError) as error:
        driver.build(step, "keras")
    assert str(error.value).replace(f"{tmp_path}/", "") == REFUSED


def test_without_keras_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str, package: str | None = None) -> ModuleSpec | None:
        return None

    monkeypatch.setattr("birc.backends.keras.find_spec", nothing)
    compiled = driver.compile("lif", target="keras")
    with pytest.raises(BircError) as error:
        compiled.run("1 ms")
    assert str(error.value) == 'error[X001]: the target keras cannot run here: Keras\n  help: pip install "birc[keras]"'
    with pytest.raises(BircError, match="cannot run here"):
        compiled.layer()
    (report,) = driver.verify("lif", ["keras"])
    assert (report.status, report.reason) == ("unavailable", 'lacks Keras: pip install "birc[keras]"')


def test_a_target_without_layers() -> None:
    with pytest.raises(BircError) as error:
        driver.compile("lif").layer()
    assert error.value.code == "A016"


def test_nothing_is_done_for_what_does_not_arrive() -> None:
    w, x, busy = value("w"), value("x"), value("busy")
    assert nothing_arrives(op("select", busy, x, op("add", x, op("mul", const(2.0), w))), "w") is x
    assert nothing_arrives(op("sub", x, w), "w") is x
    assert nothing_arrives(op("sub", w, x), "w") is op("sub", const(0.0), x)
    assert nothing_arrives(op("select", busy, x, op("div", x, w)), "w").op == "select"
