"""Worker processes: one front with the endpoints, and monitors that share the wearers."""
