"""The protocol between devices, the monitor and its viewers (docs/wire.md)."""

from ecgmon.wire.frame import MAX_SAMPLES, Frame

__all__ = ["MAX_SAMPLES", "Frame"]
