"""The product with spikes as a function of TensorFlow with a derivative of its own."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from birc.fused import product


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _multiply(x: Any, kernel: Any, bias: Any) -> Any:
    looked_at = x[:: tf.maximum(1, tf.shape(x)[0] // product.LOOKED_AT)]
    some = looked_at != 0
    share = tf.math.count_nonzero(some, dtype=tf.int32) / tf.maximum(1, tf.size(some))
    few = (share <= product.MOST) | ~tf.reduce_any(some & (looked_at != 1))

    size = (x.shape[0], kernel.shape[1])
    words = -(-kernel.shape[0] // product.WORD)

    def sparse() -> list[Any]:
        made = tf.numpy_function(product.product, (x, kernel, bias), (tf.float32, tf.int32, tf.int32), stateful=False)
        for tensor, shape in zip(made, (size, (x.shape[0], words), (1,)), strict=True):
            tensor.set_shape(shape)
        return list(made)

    def dense() -> list[Any]:
        return [tf.matmul(x, kernel) + bias, tf.zeros((0, words), tf.int32), tf.zeros(1, tf.int32)]

    y, bits, whole = tf.cond(few, sparse, dense)

    def derivative(up: Any) -> tuple[Any, Any, Any]:
        def sparse() -> Any:
            bar = tf.numpy_function(product.kernel_bar, (x, bits, whole, up), tf.float32, stateful=False)
            bar.set_shape(kernel.shape)
            return bar

        bar = tf.cond(few, sparse, lambda: tf.matmul(x, up, transpose_a=True))
        return tf.matmul(up, kernel, transpose_b=True), bar, tf.reduce_sum(up, axis=0)

    return y, derivative


def multiply(x: Any, kernel: Any, bias: Any = None) -> Any:
    """See `birc.fused.product_on`."""
    rows, kernel = tf.reshape(x, (-1, kernel.shape[0])), tf.convert_to_tensor(kernel)
    y = _multiply(rows, kernel, tf.zeros(kernel.shape[1]) if bias is None else tf.convert_to_tensor(bias))
    return tf.reshape(y, (*(tf.shape(x)[i] if n is None else n for i, n in enumerate(x.shape[:-1])), kernel.shape[1]))
