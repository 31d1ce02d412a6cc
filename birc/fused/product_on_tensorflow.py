"""The product with spikes as a function of TensorFlow with a derivative of its own."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from birc.fused import product


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _multiply(x: Any, kernel: Any, bias: Any) -> Any:
    looked_at = x[:: tf.maximum(1, tf.shape(x)[0] // product.LOOKED_AT)]
    share = tf.math.count_nonzero(looked_at, dtype=tf.int32) / tf.maximum(1, tf.size(looked_at))
    few = share <= product.MOST

    def called(function: Any, *arguments: Any, shape: Any) -> Any:
        made = tf.numpy_function(function, arguments, tf.float32, stateful=False)
        made.set_shape(shape)
        return made

    y = tf.cond(
        few,
        lambda: called(product.product, x, kernel, bias, shape=(x.shape[0], kernel.shape[1])),
        lambda: tf.matmul(x, kernel) + bias,
    )

    def derivative(up: Any) -> tuple[Any, Any, Any]:
        bar = tf.cond(
            few,
            lambda: called(product.kernel_bar, x, up, shape=kernel.shape),
            lambda: tf.matmul(x, up, transpose_a=True),
        )
        return tf.matmul(up, kernel, transpose_b=True), bar, tf.reduce_sum(up, axis=0)

    return y, derivative


def multiply(x: Any, kernel: Any, bias: Any = None) -> Any:
    """See `birc.fused.product_on`."""
    rows, kernel = tf.reshape(x, (-1, kernel.shape[0])), tf.convert_to_tensor(kernel)
    y = _multiply(rows, kernel, tf.zeros(kernel.shape[1]) if bias is None else tf.convert_to_tensor(bias))
    return tf.reshape(y, (*(tf.shape(x)[i] if n is None else n for i, n in enumerate(x.shape[:-1])), kernel.shape[1]))
