"""Programs that watch a monitor through its publish endpoint."""
