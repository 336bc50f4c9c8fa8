"""Where samples come from: the conversation with devices."""
