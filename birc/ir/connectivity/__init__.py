"""Who reaches whom in a projection, and what is drawn for each synapse: the meaning that every target's own builder obeys.

Everything is a function of the seed, so that targets that build by themselves, in parallel, build the same.
"""
