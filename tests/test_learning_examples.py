"""The programs in examples/learning learn what they say: their own figures, held to what docs/learning.md claims."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from birc.backends.keras import BACKEND

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples" / "learning"
if BACKEND.missing() is not None:
    pytest.skip("needs keras, and a package with which it computes", allow_module_level=True)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are written to a folder of their own; processes that are started find birc."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def program(name: str) -> Any:
    """The example as a module."""
    spec = importlib.util.spec_from_file_location(f"learning_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_digits_are_split_by_class_and_moved_by_a_pixel() -> None:
    pytest.importorskip("sklearn")
    digits = program("digits")
    data = digits.load("digits")
    assert (data.images.shape, data.test_images.shape) == ((5 * 1347, 8, 8), (450, 8, 8))
    assert set(np.bincount(data.test_digits)) <= {43, 44, 45, 46}
    np.testing.assert_array_equal(data.images[1347:2694, :, 1:], data.images[:1347, :, :-1])
    np.testing.assert_array_equal(data.images[1347:2694, :, 0], 0)
    known = {image.tobytes() for image in data.images[:1347]}
    twins = [image for image in data.test_images if image.tobytes() in known]
    assert twins == []


@pytest.mark.slow
def test_digits_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    (run,) = program("digits").main()
    assert run.accuracy >= 0.96
    assert run.seconds <= 180
    assert f"| 0 | {run.accuracy:.2%} |" in capsys.readouterr().out
    assert Path("out/learning_digits.png").exists() == (importlib.util.find_spec("matplotlib") is not None)


def test_mnist_is_taken_where_it_can_be_had_and_else_missed_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = program("digits")
    images, labels = np.full((12, 28, 28), 255, np.uint8), np.arange(12) % 10
    monkeypatch.setattr(digits.keras.datasets.mnist, "load_data", lambda: ((images, labels), (images[:3], labels[:3])))
    data = digits.load("mnist")
    assert (data.images.shape, data.images.max(), data.test_images.shape) == ((12, 28, 28), 1.0, (3, 28, 28))
    run = digits.learn(data, seed=0, epochs=1)
    assert (len(run.history["loss"]), run.model.output_shape) == (1, (None, 10))

    def nowhere() -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr(digits.keras.datasets.mnist, "load_data", nowhere)
    with pytest.raises(SystemExit) as refused:
        digits.load("mnist")
    assert str(refused.value) == ("MNIST cannot be had: URL fetch failure\nput mnist.npz into ~/.keras/datasets, or take --data digits")


def test_only_timing_tells_the_patterns_apart() -> None:
    told = program("timing").main()
    np.testing.assert_array_equal(told.spikes_per_channel, np.ones((4, 12)))
    assert told.by_timing >= 0.95
    assert 0.2 <= told.by_counts <= 0.3
    assert 0.15 <= told.scrambled <= 0.35
    assert told.losses[-1] < told.losses[0] / 5


def test_time_constants_are_found() -> None:
    found = program("time_constants").main()
    assert found.error <= 0.02
    np.testing.assert_array_equal(found.course[0], 12.0)
    assert np.abs(found.course[0] / found.known - 1).max() > 1


def test_a_stream_is_the_whole_to_the_bit(capsys: pytest.CaptureFixture[str]) -> None:
    assert program("streaming").main() == {1: True, 7: True, 40: True}
    assert " 0 spikes" not in capsys.readouterr().out


def test_a_network_that_was_saved_says_the_same_to_the_bit(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    assert program("save_and_load").main(epochs=3) is True
    assert "215640 potentials are the same to the bit" in capsys.readouterr().out


def test_they_run_as_programs() -> None:
    done = subprocess.run([sys.executable, str(FOLDER / "streaming.py")], capture_output=True, text=True, env={**os.environ})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the same to the bit") == 3
