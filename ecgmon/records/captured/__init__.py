"""Signal that a monitor has captured, and the layout of its journal."""
