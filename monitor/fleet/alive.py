"""What monitors tell each other, and whoever asks how a fleet is, each second."""

from typing import Annotated, Final

import msgspec

ALIVE: Final = "fleet.alive"
"""Where monitors say that they are there."""
MAX_PARTITIONS: Final = 10_000
"""Partitions that a monitor can say that it owns."""


class MonitorAlive(msgspec.Struct, frozen=True):
    """A monitor says that it is there.

    Parameters
    ----------
    name : str
        Which.
    owned : list of int
        Its partitions.
    wearers : int
        How many it watches.
    """

    name: Annotated[str, msgspec.Meta(max_length=64)]
    owned: Annotated[list[int], msgspec.Meta(max_length=MAX_PARTITIONS)]
    wearers: int = 0
