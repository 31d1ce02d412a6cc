"""A model's scheme against the exact solution of its equations."""
