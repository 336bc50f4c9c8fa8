"""The state of a second of signal, and why a second has no verdict."""

from typing import Literal

SignalState = Literal["signal", "noisy", "absent"]
Reason = Literal["absent", "gap", "history", "lead", "noisy", "paced", "rhythm", "strange"]
"""Why a second was not classified; later versions may add others (docs/wire.md)."""
