"""Networks at run time: numbers for every population, projection and source, stretches of steps, recordings and results."""
