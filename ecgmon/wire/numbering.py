"""Sequence numbers of messages to a viewer; gaps in them show what the viewer has missed."""

from typing import Annotated, Final

import msgspec

from ecgmon.core.errors import ProtocolError
from ecgmon.wire.fields import Session


class Numbering(msgspec.Struct, frozen=True):
    """Fields that stand in a message beside its own.

    Parameters
    ----------
    session : str or None
        A viewer's subscription at one monitor; it outlives the viewer's connections.
    seq : int or None
        Number of the message in its session, the first one is 1. Every message but the answers to
        requests has one, and none is used twice.
    snapshot : bool
        Whether the message says how things stand; the snapshot ends with `Subscribed`.
    """

    session: Session | None = None
    seq: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None
    snapshot: bool = False


class Sequence:
    """Sequence numbers that a viewer has received in a session.

    Attributes
    ----------
    session : str or None
        The session; None while none is known.
    lost : int
        Messages of the session that have not come, and are not waited for.
    """

    def __init__(self) -> None:
        self.session: str | None = None
        self.lost = 0
        self._seen = 0
        self._former: str | None = None

    def take(self, numbering: Numbering) -> int | None:
        """Take the number of a message that has come.

        Returns
        -------
        int or None
            How many messages were lost right before it. None if newer ones have come before, over
            another connection: the message counts as lost and must not be believed any more.
        """
        if numbering.session is None or numbering.seq is None:
            return 0
        if numbering.session != self.session:
            if numbering.session == self._former:
                return None
            self._former, self.session = self.session, numbering.session
            self._seen = self.lost = 0
        if numbering.seq <= self._seen:
            return None
        lost = numbering.seq - self._seen - 1
        self._seen, self.lost = numbering.seq, self.lost + lost
        return lost


_DECODER: Final[msgspec.json.Decoder[Numbering]] = msgspec.json.Decoder(Numbering)


def numbered(encoded: bytes, session: str, seq: int, *, snapshot: bool = False) -> bytes:
    """Return an encoded message with a `Numbering`, without encoding the message again."""
    more = b',"snapshot":true' if snapshot else b""
    return b'%b,"session":"%b","seq":%d%b}' % (encoded[:-1], session.encode(), seq, more)


def numbering_of(data: bytes) -> Numbering:
    """Read the numbering of a message; raise `ProtocolError` if it is not valid."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"The numbering is not valid: {str(error)[:300]}.") from error
