"""What viewers of the query side ask for, sent to the owners of partitions; and what came of it."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import messages
from monitor.fleet import names
from monitor.fleet.commands import CommandOutcome, FleetCommand, decode_outcome, encode
from monitor.fleet.link import FleetLink, Mailbox
from monitor.fleet.ordered import AGAIN_S
from monitor.fleet.query_feed import Job
from monitor.ops.logs import logger

if TYPE_CHECKING:
    from nats.aio.msg import Msg

ANSWER_S: Final = 5.0
"""Who has asked for something is told after it, in seconds, that nobody has done it."""
STORE_S: Final = 1.0
"""Longest wait for JetStream to store a command, in seconds, before it is sent again."""
MOST_WAITING: Final = 1000
"""Commands that wait for their outcome at once."""
NOT_DONE: Final = (
    "No monitor has done this within 5 s: look whether the wearer is watched (ecgmon fleet "
    "status), and do it again if the alarm still waits."
)
TOO_MANY: Final = "Too many requests wait for their outcome: try again in some seconds."
OWN: Final = "A monitor's own alarms are acknowledged and paused at that monitor, not in the fleet."

Then = Callable[[str | None], None]
"""Takes why something was refused; None where it is done."""

_log = logger(__name__)


@dataclass(eq=False, slots=True)
class SentCommand:
    """A command without an outcome.

    Parameters
    ----------
    command : FleetCommand
        What was asked for.
    until : float
        Monotonic time at which nobody waits any more.
    then : list of callable
        Those who have asked for it.
    """

    command: FleetCommand
    until: float
    then: list[Then] = field(default_factory=list)


class CommandDesk:
    """Sends commands, each once, and says what has become of them.

    Parameters
    ----------
    link : FleetLink
        Connected.
    box : Mailbox
        Where news of commands are put, for the thread of who asks.
    """

    def __init__(self, link: FleetLink, box: Mailbox[Job]) -> None:
        self._link = link
        self._box = box
        self._session = secrets.token_hex(8)
        self._number = 0
        self._sent: dict[str, SentCommand] = {}

    async def listen(self) -> None:
        """Hear from owners what has become of commands; in the thread of the link."""

        async def heard(message: "Msg") -> None:
            try:
                outcome = decode_outcome(message.data)
            except ProtocolError as error:
                _log.warning("outcome-unreadable", reason=str(error))
                return
            if outcome.id.startswith(self._session):
                self._box.put(partial(self._end, outcome))

        await self._link.client.subscribe(names.OUTCOMES, cb=heard)

    def ask(self, request: messages.Acknowledge | messages.Pause, then: Then, now: float) -> None:
        """Send a command; one that is asked for again before its outcome is known is sent once."""
        if request.wearer is None:
            then(OWN)
            return
        for sent in self._sent.values():
            if sent.command.request == request:
                sent.then.append(then)
                return
        if len(self._sent) >= MOST_WAITING:
            then(TOO_MANY)
            return
        self._number += 1
        command = FleetCommand(f"{self._session}-{self._number}", request)
        self._sent[command.id] = SentCommand(command, now + ANSWER_S, [then])
        self._link.start(self._store(command, names.asked(request.wearer)))

    def heard(self, message: messages.Published) -> None:
        """Take what a monitor has said: it may be what was asked for."""
        if isinstance(message, messages.Alarm | messages.Paused):
            for sent in list(self._sent.values()):
                if _is_outcome(sent.command.request, message):
                    self._end(CommandOutcome(sent.command.id))

    def tick(self, now: float) -> None:
        """Answer those who have waited for too long."""
        for sent in list(self._sent.values()):
            if now >= sent.until:
                self._end(CommandOutcome(sent.command.id, NOT_DONE))

    async def _store(self, command: FleetCommand, subject: str) -> None:
        """Let JetStream store a command, again and again until it says so; it does it once."""
        from nats.errors import Error
        from nats.js.errors import APIError

        try:
            async with asyncio.timeout(ANSWER_S):
                while True:
                    try:
                        await self._link.js.publish(
                            subject,
                            encode(command),
                            timeout=STORE_S,
                            headers={"Nats-Msg-Id": command.id},
                        )
                        return
                    except APIError as error:
                        reason = f"JetStream refuses this: {str(error.description)[:200]}."
                        self._box.put(partial(self._end, CommandOutcome(command.id, reason)))
                        return
                    except (Error, TimeoutError):  # the connection is lost, or its answer is
                        await asyncio.sleep(AGAIN_S)
        except TimeoutError:
            _log.warning("command-not-stored", id=command.id)  # who has asked is told by `tick`

    def _end(self, outcome: CommandOutcome) -> None:
        sent = self._sent.pop(outcome.id, None)
        if sent is not None:
            request = sent.command.request
            _log.info(
                "request",
                wearer=request.wearer,
                by=request.by,
                request=repr(request),
                refused=outcome.refused,
            )
            for then in sent.then:
                then(outcome.refused)


def _is_outcome(
    request: messages.Acknowledge | messages.Pause, message: messages.Alarm | messages.Paused
) -> bool:
    """Tell whether a message says that a request was carried out."""
    if request.wearer != message.wearer:
        return False
    match request, message:
        case messages.Acknowledge(alarm=number), messages.Alarm():
            return number == message.alarm and message.state in ("acknowledged", "cleared")
        case messages.Pause(kind=kind), messages.Paused():
            asked_on = request.seconds > 0
            return (
                kind == message.kind
                and request.by == message.by
                and asked_on == (message.until is not None)
            )
    return False
