"""A wearer's own model: from five minutes of signal, and whatever is known of it, to a bundle."""
