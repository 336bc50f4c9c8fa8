"""Studies 2 to 5 under three protocols: their rows, how they are computed, and the page."""
