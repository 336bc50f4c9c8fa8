"""Types and bounds of message fields; every value is hostile until it is decoded."""

from typing import Annotated, Final

import msgspec

WEARER: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
"""A wearer's id: safe as a file name and as a topic."""
Wearer = Annotated[str, msgspec.Meta(pattern=WEARER)]
Lead = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{0,8}\Z")]
"""Name of a lead, as in a frame: printable, for it is written to terminals."""
Person = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{0,64}\Z")]
"""Who did something: any script, but no control characters, for it is written to terminals."""
Text = Annotated[str, msgspec.Meta(max_length=500)]
Index = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
DeviceIndex = Annotated[int, msgspec.Meta(ge=0, le=2**60)]
"""In the device's own samples, as in a frame: at 360 Hz it is an `Index`, whatever the rate."""
StreamId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
"""The frame's 64-bit stream id in hexadecimal: JSON numbers are not exact beyond 53 bits."""
Session = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
"""Chosen at random, so that no viewer can name that of another one."""

Number = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Kind = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z-]{0,31}\Z")]
Topic = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{1,16}/([A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z")]
"""A type of message, a slash, and whose: nothing means everybody's."""
