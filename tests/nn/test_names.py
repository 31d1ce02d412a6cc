"""The names of the part of `birc.nn` that trains."""

from __future__ import annotations

import pytest

from tests.nn.engines import keras

import birc.nn  # isort: skip


def test_every_name_is_where_it_is_said_to_be() -> None:
    for name, home in birc.nn._HOME.items():
        found = getattr(birc.nn, name)
        assert found.__name__ == name and found.__module__.startswith(home)
    assert set(birc.nn.__all__) <= set(dir(birc.nn))
    with pytest.raises(AttributeError, match="no attribute 'SpikingTrainr'"):
        _ = birc.nn.SpikingTrainr


def test_every_class_that_is_saved_is_registered() -> None:
    bases = (keras.losses.Loss, keras.regularizers.Regularizer, keras.callbacks.Callback)
    found = [getattr(birc.nn, name) for name in birc.nn._HOME]
    saved = [c for c in found if isinstance(c, type) and issubclass(c, bases)]
    assert len(saved) > 10
    for c in saved:
        assert keras.saving.get_registered_object(f"birc>{c.__name__}") is c
