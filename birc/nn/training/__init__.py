"""Training of spiking networks over time."""
