"""A classifier of handwritten digits with a layer of spiking neurons, learned with Keras; needs `birc[keras]` and scikit-learn."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import birc


def main() -> None:
    """Learn for a few epochs and print how many digits it has not seen it reads."""
    import keras
    from sklearn.datasets import load_digits

    keras.utils.set_random_seed(1)
    images, digits = load_digits(return_X_y=True)
    current = (images[:, None, :] / 16).repeat(12, axis=1)  # the same picture for twelve steps
    lif = birc.compile("lif_unit", target="keras", dt="1 ms")
    spiking = lif.layer(units=64, tau_m="5 ms", t_ref="0 ms", learn=["tau_m", "v_th"], per_feature=True, kernel_initializer="he_normal")
    model = keras.Sequential([spiking, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(10)])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    model.fit(current[:1400], digits[:1400], epochs=10, batch_size=128, verbose=0)
    _, accuracy = model.evaluate(current[1400:], digits[1400:], verbose=0)
    print(f"{accuracy:.0%} of the digits it has not seen, with {int(model.count_params())} weights")


if __name__ == "__main__":
    lacking = [name for name in ("keras", "sklearn") if find_spec(name) is None]
    if lacking:
        sys.exit(f"needs {' and '.join(lacking)}: pip install 'birc[keras]' scikit-learn")
    main()
