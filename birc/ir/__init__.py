"""The intermediate representation: expressions, the model (level 1) and the step program (level 2)."""
