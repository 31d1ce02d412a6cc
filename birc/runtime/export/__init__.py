"""Results in the formats of others: each takes a view of a run, of one population or of several, and needs a package of its own."""
