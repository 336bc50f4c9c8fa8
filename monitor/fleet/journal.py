"""The journal of a fleet's monitor: what is said of its wearers is in JetStream, and then here."""

import concurrent.futures
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from pathlib import Path
from typing import Final

from ecgmon.wire import messages
from monitor.fleet.link import FleetLink
from monitor.fleet.tenure import Tenure
from monitor.ops.logs import logger
from monitor.storage.journal import URGENT, Journal

ANSWER_S: Final = 1.5
"""Longest wait for JetStream, in seconds; what it has not answered by then waits for it."""
_NOT_TOLD: Final = (messages.Trace, messages.Link)
"""How things are at the moment: who shows it is told of it by other ways."""

_log = logger(__name__)


class FleetJournal(Journal):
    """A journal of which messages about wearers are told the fleet before they are written.

    Parameters
    ----------
    path : Path
        The SQLite file.
    link : FleetLink
        Connected.
    tenure_of : callable
        Gives the time in which the partition of a wearer is this monitor's; None if it is not.
    """

    def __init__(
        self, path: Path, link: FleetLink, tenure_of: Callable[[str], Tenure | None]
    ) -> None:
        super().__init__(path)
        self._link = link
        self._tenure_of = tenure_of

    def append(self, published: Sequence[messages.Published]) -> None:
        """Tell the fleet, and append; alarms are in JetStream when this returns, if it answers."""
        of_tenure: dict[Tenure, list[messages.Published]] = defaultdict(list)
        for message in published:
            if message.wearer is None or isinstance(message, _NOT_TOLD):
                continue
            if isinstance(message, messages.Event) and message.event == "hello":
                continue  # the device spoke with a gateway; here a monitor took the wearer
            if tenure := self._tenure_of(message.wearer):
                of_tenure[tenure].append(message)
        waits = []
        for tenure, told in of_tenure.items():
            tenure.results.put(told)
            if not URGENT.isdisjoint(map(type, told)):
                waits.append(tenure)
        self._await(waits)
        super().append(published)

    def _await(self, tenures: list[Tenure]) -> None:
        until = time.monotonic() + ANSWER_S
        asked = [self._link.start(one.results.confirmed(one.results.given)) for one in tenures]
        for confirmed in asked:
            try:
                confirmed.result(max(until - time.monotonic(), 0.0))
            except (TimeoutError, concurrent.futures.CancelledError):
                confirmed.cancel()
                _log.warning("results-wait", reason="JetStream does not answer")

    def alarms(
        self, wearers: Collection[str] | None = None
    ) -> Iterator[messages.Alarm | messages.Paused]:
        """Yield the entries about alarms of the monitor itself: a wearer's come from the fleet."""
        return (one for one in super().alarms(wearers) if one.wearer is None)

    def unfinished(self, wearers: Container[str] | None = None) -> list[messages.Closed]:
        """Return nothing: streams go on from the fleet's states."""
        return []
