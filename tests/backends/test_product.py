"""The products with inputs that are mostly zeros: against NumPy, and with their derivatives against each engine's own products."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from birc import driver
from birc.backends.c_family import build
from birc.backends.keras.engines import ENGINES
from birc.fused import product, product_on
from birc.fused.product import MOST, Size, kernel_bar
from birc.fused.sweep import address

pytestmark = pytest.mark.skipif(build.find_compiler() is None, reason="needs a C++ compiler")

ALONE = "BIRC_TEST_ONE_ENGINE"
SIZES = [(1, 1, 1), (0, 5, 3), (1, 17, 10), (33, 16, 17), (70, 530, 31), (700, 40, 256), (5, 0, 4), (300, 90, 130)]


def inputs(rows: int, features: int, density: float, binary: bool = True) -> Any:
    """Zeros and ones, or zeros and other numbers."""
    rng = np.random.default_rng(0)
    some = rng.random((rows, features)) < density
    return (some * (1.0 if binary else rng.standard_normal(some.shape))).astype(np.float32)


def weights(*shape: int) -> Any:
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def close(found: Any, expected: Any) -> None:
    scale = np.abs(expected).max(initial=1e-30, where=np.isfinite(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * scale)


# --- on arrays


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("density", [0, 0.01, 0.05, 0.5, 1])
@pytest.mark.parametrize(("rows", "features", "units"), SIZES)
def test_against_numpy(rows: int, features: int, units: int, density: float, binary: bool) -> None:
    x, w, b, g = inputs(rows, features, density, binary), weights(features, units), weights(units), weights(rows, units)
    wide = x.astype(float)
    close(product.product(x, w)[0], wide @ w)
    y, bits, whole = product.product(x, w, b)
    close(y, wide @ w + b)
    close(kernel_bar(x, bits, whole, g), wide.T @ g)


@pytest.mark.parametrize(("rows", "features", "units"), SIZES)
def test_bits_are_all_of_an_input_of_0_and_1(rows: int, features: int, units: int) -> None:
    """What comes of them is the same to the bit, and near to the sums of products."""
    x, w, b, g = inputs(rows, features, 0.3), weights(features, units), weights(units), weights(rows, units)
    size = Size(rows, features, units)
    bits, y, again, bar, by_x = np.empty(size.bits, np.int32), np.empty_like(g), np.empty_like(g), np.empty_like(w), np.empty_like(w)
    assert product.mark(size, address(x), address(bits))
    product.ahead(size, address(bits), address(x), address(w), address(b), address(y))
    product.ahead(size, address(bits), 0, address(w), address(b), address(again))
    product.back(size, address(bits), address(x), address(g), address(by_x))
    product.back(size, address(bits), 0, address(g), address(bar))
    close(again, y)
    close(bar, by_x)
    product.ahead(size, address(bits), 0, address(w), address(b), address(y))
    product.back(size, address(bits), 0, address(g), address(by_x))
    np.testing.assert_array_equal(again, y)
    np.testing.assert_array_equal(bar, by_x)
    there = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little", count=features)
    np.testing.assert_array_equal(there, x)


@pytest.mark.parametrize("other", [0.5, -1.0, 2.0, np.nan, np.inf, 1 + 1e-7])
@pytest.mark.parametrize("at", [(0, 0), (69, 529), (40, 16)])
def test_one_other_number_is_seen(other: float, at: tuple[int, int]) -> None:
    x, w = inputs(70, 530, 0.05), weights(530, 5)
    size = Size(70, 530, 5)
    bits = np.empty(size.bits, np.int32)
    x[at] = -0.0
    assert product.mark(size, address(x), address(bits))
    x[at] = other
    assert not product.mark(size, address(x), address(bits))
    close(product.product(x, w)[0], x @ w)


def test_numbers_that_are_none() -> None:
    """Where x is not 0 as in the dense product; where it is 0 the weight, whatever it is, takes no part."""
    x, w, g = inputs(50, 40, 0.1), weights(40, 20), weights(50, 20)
    x[3, 5], x[7, 9], x[7, 11] = np.nan, np.inf, 0
    w[11, 2], g[4, 1] = np.inf, np.nan
    y, bits, whole = product.product(x, w)
    bar = kernel_bar(x, bits, whole, g)
    rows, columns = np.isin(np.arange(50), [3, 7]), np.isin(np.arange(40), [5, 9])
    assert np.isnan(y[3]).all()
    assert np.isinf(y[7]).all()
    np.testing.assert_array_equal(np.isinf(y[~rows, 2]), x[~rows, 11] == 1)
    assert np.isfinite(np.delete(y[~rows], 2, axis=1)).all()
    assert np.isnan(bar[5]).all()
    assert np.isinf(np.delete(bar[9], 1)).all()
    np.testing.assert_array_equal(np.isnan(bar[~columns, 1]), x[4, ~columns] == 1)
    assert np.isfinite(np.delete(bar[~columns], 1, axis=1)).all()


@pytest.mark.parametrize("density", [0.05, 0.6])
def test_a_weight_that_is_none_is_seen_where_it_is_asked_for(density: float) -> None:
    """Of an x of 0 and 1, whether few or many are 1."""
    x, w, g = inputs(50, 40, density), weights(40, 20), weights(50, 20)
    w[11, 2], g[4, 1] = np.inf, np.nan
    y, bits, whole = product.product(x, w)
    assert whole[0]
    bar = kernel_bar(x, bits, whole, g)
    np.testing.assert_array_equal(np.isinf(y[:, 2]), x[:, 11] == 1)
    np.testing.assert_array_equal(np.isnan(bar[:, 1]), x[4] == 1)
    close(np.delete(y, 2, axis=1), x @ np.delete(w, 2, axis=1))
    close(np.delete(bar, 1, axis=1), x.T @ np.delete(g, 1, axis=1))


@pytest.mark.parametrize("density", [0.1, 0.7])
def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch, density: float) -> None:
    x, w, g = inputs(3000, 310, density), weights(310, 70), weights(3000, 70)
    found = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        assert Size(3000, 310, 70).threads == int(threads)
        y, bits, whole = product.product(x, w)
        found.append((y, bits, whole, kernel_bar(x, bits, whole, g)))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_how_much_is_there_is_judged_by_some_rows() -> None:
    size = Size(1000, 30, 5)
    for share in (0, 0.2, 0.8, 1):
        for binary in (True, False):
            x = inputs(1000, 30, share, binary)
            found, others = product.found(size, address(x))
            assert found == pytest.approx(30 * share, abs=2)
            assert others == (0 if binary else found)
    x = np.ones((1000, 30), np.float32)
    x[:: size.spacing] = 0
    assert product.found(size, address(x)) == (0, 0)


# --- on the engine of Keras


@pytest.fixture(scope="module")
def keras() -> Any:
    pytest.importorskip("keras", reason='needs keras: pip install "birc[keras]"')
    from birc.backends.keras import BACKEND

    if BACKEND.missing() is not None:
        pytest.skip(f"needs {BACKEND.missing()}")
    return importlib.import_module("birc.backends.keras.run").load_keras()


def derivatives(engine: str, function: Any, arguments: list[Any], up: Any) -> tuple[Any, list[Any]]:
    """A function's value, and the derivatives of its sum with weights; compiled where the engine compiles."""
    if engine == "torch":
        torch = importlib.import_module("torch")
        tensors = [torch.tensor(a, requires_grad=True) for a in arguments]
        y = function(*tensors)
        (y * torch.tensor(up)).sum().backward()
        return y.detach().numpy(), [t.grad.numpy() for t in tensors]
    if engine == "jax":
        jax = importlib.import_module("jax")
        y, back = jax.vjp(jax.jit(function), *arguments)
        return np.asarray(y), [np.asarray(a) for a in back(jax.numpy.asarray(up))]
    tf = importlib.import_module("tensorflow")

    @tf.function(input_signature=[tf.TensorSpec([None] * a.ndim if i == 0 else a.shape) for i, a in enumerate(arguments)])  # type: ignore[untyped-decorator]
    def both(*tensors: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            y = function(*tensors)
        return y, tape.gradient(y, tensors, output_gradients=tf.constant(up))

    y, bars = both(*map(tf.constant, arguments))
    return y.numpy(), [a.numpy() for a in bars]


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("density", [0, 0.05, 0.5, 1])
def test_an_engine_gets_its_own_products_values_and_derivatives(keras: Any, density: float, binary: bool, biased: bool) -> None:
    engine = keras.backend.backend()
    x = inputs(7 * 50, 90, density, binary).reshape(7, 50, 90)
    arguments = [x, weights(90, 33), *([weights(33)] if biased else [])]
    multiply, up = product_on(engine), weights(7, 50, 33)
    y, bars = derivatives(engine, multiply, arguments, up)
    expected, expected_bars = derivatives(engine, lambda a, w, b=0.0: keras.ops.matmul(a, w) + b, arguments, up)
    assert y.shape == expected.shape
    close(y, expected)
    for bar, expected_bar in zip(bars, expected_bars, strict=True):
        close(bar, expected_bar)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("density", [0.1, 0.6])
def test_the_measured_share_chooses(keras: Any, density: float, binary: bool) -> None:
    """A weight that is NaN shows which product was taken: the dense one spreads it over all rows."""
    x, w = inputs(64, 30, density, binary), weights(30, 8)
    x[:, 4], w[4] = 0, np.nan
    tensor = keras.ops.convert_to_tensor
    y = keras.ops.convert_to_numpy(product_on(keras.backend.backend())(tensor(x), tensor(w), None))
    assert np.isnan(y).all() if density > MOST and not binary else np.isfinite(y).all()


@pytest.mark.parametrize("options", [{}, {"fused": False}, {"dtype": "mixed_bfloat16"}])
def test_a_layer_multiplies_by_what_is_there(keras: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all steps are taken at once, in single precision, and there alone."""
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    layer = made.layer(units=8, use_bias=True, **options)
    x = inputs(2 * 20, 30, 0.1).reshape(2, 20, 30)
    layer.build(x.shape)
    engine = importlib.import_module("birc.fused.layer")
    calls: list[str] = []

    def seen(name: str) -> Any:
        calls.append(name)
        return product_on(name)

    monkeypatch.setattr(engine, "product_on", seen)
    layer(x)
    assert set(calls) == (set() if options else {keras.backend.backend()})


def test_a_network_learns_as_by_its_loop(keras: Any) -> None:
    """The weights after one step of plain descent, of layers whose inputs are spikes."""
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    x, found = inputs(4 * 30, 40, 0.1).reshape(4, 30, 40), []
    for fused in (True, False):
        layers = [made.layer(units=n, use_bias=True, fused=fused, tau_m=9.5, R=10.0, t_ref=0) for n in (24, 10)]
        model = keras.Sequential([keras.layers.Input((30, 40)), *layers, keras.layers.GlobalAveragePooling1D()])
        model.set_weights([weights(*w.shape) if len(w.shape) == 2 else w for w in model.get_weights()])
        before = model.get_weights()
        model.compile(keras.optimizers.SGD(1.0), "mse")
        model.train_on_batch(x, np.full((4, 10), 100, np.float32))
        found.append([b - a for a, b in zip(before, model.get_weights(), strict=True)])
    assert all(moved.any() for moved in found[0] if moved.ndim)
    for moved, loop_moved in zip(*found, strict=True):
        np.testing.assert_allclose(moved, loop_moved, rtol=1e-4, atol=1e-5 * np.abs(loop_moved).max(initial=1e-9))


def test_torch_keeps_bits_of_spikes(keras: Any) -> None:
    if keras.backend.backend() != "torch":
        pytest.skip("torch keeps what its functions ask for")
    torch = importlib.import_module("torch")
    for binary, size in ((True, 320 * 3 * 4), (False, 320 * (3 + 90) * 4)):
        kept: list[Any] = []
        x, w = torch.tensor(inputs(320, 90, 0.1, binary)), torch.tensor(weights(90, 33), requires_grad=True)

        def pack(tensor: Any, kept: list[Any] = kept) -> Any:
            kept.append(tensor)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            product_on("torch")(x, w, None)
        assert sum(t.nbytes for t in kept) == size + w.nbytes


def test_torch_keeps_no_currents_that_few_spikes_make(keras: Any) -> None:
    """Of those that many spikes make, and of those of another input, it does."""
    if keras.backend.backend() != "torch":
        pytest.skip("torch keeps what its functions ask for")
    torch = importlib.import_module("torch")
    made = driver.compile_model("lif_unit", target="keras", dt="1 ms", dtype="f32")
    layer = made.layer(units=24)
    for share, binary, currents in ((0.1, True, False), (0.3, True, True), (0.1, False, True)):
        kept: list[tuple[int, ...]] = []

        def pack(tensor: Any, kept: list[tuple[int, ...]] = kept) -> Any:
            kept.append(tuple(tensor.shape))
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            layer(torch.tensor(inputs(4 * 30, 200, share, binary).reshape(4, 30, 200)))
        assert ((4, 30, 24) in kept) is currents


# --- every Keras


@pytest.mark.slow
@pytest.mark.skipif(ALONE in os.environ, reason="already on its own")
@pytest.mark.parametrize("engine", ENGINES)
def test_all_of_this_on_the_other_engines(keras: Any, engine: str) -> None:
    if engine == keras.backend.backend() or not find_spec(engine):
        pytest.skip("this one runs, or is not installed")
    environment = {**os.environ, "KERAS_BACKEND": engine, ALONE: "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", __file__], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
