"""The packages with which Keras can compute."""

ENGINES = ("tensorflow", "jax", "torch")
"""Their names in `KERAS_BACKEND`; the first one that is installed is taken where nobody chooses."""
