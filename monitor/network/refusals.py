"""Refusing what peers send: each is told why, and a flood of refusals does not fill the log."""

import time
from abc import ABC, abstractmethod
from typing import Final

from ecgmon.wire import messages
from monitor.ops.logs import logger

LOGGED_S: Final = 1.0
"""Refusals are logged once in so many seconds, with how many there were."""
LONGEST_REASON: Final = 500
"""Characters of a reason; the rest is cut off."""

_log = logger(__name__)


class Refusing(ABC):
    """A transport that answers peers by `answer` refuses them by what is here."""

    def __init__(self) -> None:
        self._logged = float("-inf")
        self._refused = 0
        self._unsaid = 0

    @abstractmethod
    def answer(self, peer: bytes, message: messages.ToDevice | messages.ToViewer) -> bool:
        """Send an answer without waiting; False for a peer that is gone or does not read."""

    def refuse(
        self, peer: bytes, reason: str, retry_s: float | None = None, user: str = ""
    ) -> None:
        """Tell a peer that something is not accepted, and why.

        Parameters
        ----------
        peer : bytes
            As `answer` takes it.
        reason : str
            One sentence.
        retry_s : float, optional
            Seconds after which the peer may try again.
        user : str
            Who was authenticated, for the log.
        """
        self.note(peer, user, reason)
        self.answer(peer, messages.Refused(reason=reason[:LONGEST_REASON], retry_s=retry_s))

    def take_refused(self) -> int:
        """Return how often something was refused since the last call."""
        refused, self._refused = self._refused, 0
        return refused

    def note(self, peer: bytes, user: str, reason: str) -> None:
        """Count a refusal, and log it with those that were not logged before."""
        self._refused += 1
        self._unsaid += 1
        now = time.monotonic()
        if now - self._logged >= LOGGED_S:
            _log.warning(
                "refused",
                peer=peer.hex(),
                user=user,
                reason=reason[:LONGEST_REASON],
                times=self._unsaid,
            )
            self._logged, self._unsaid = now, 0
