"""Base class of all control and published messages (docs/wire.md)."""

from typing import Final, Literal

import msgspec

VERSION: Final = 1
"""Version of the messages; another one is refused."""


class Message(msgspec.Struct, tag_field="type", tag=str.lower, frozen=True, kw_only=True):
    """Base of all messages: ``type`` is the class's name in small letters, ``v`` the version."""

    v: Literal[1] = VERSION
