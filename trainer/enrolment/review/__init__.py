"""Review: a clinician judges a few beats of a wearer in the terminal, by single keys."""
