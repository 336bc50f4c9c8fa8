"""Model inference: one batch per model and tick."""
