"""Sources of samples: the conversation with devices."""
