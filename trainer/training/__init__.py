"""Training loops, batches, scoring and the export to bundles."""
