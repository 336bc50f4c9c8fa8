"""Requests of the query side's viewers: each viewer is answered in the order of its requests."""

import asyncio
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Final

from ecgmon.wire import messages
from monitor.fleet.link import FleetLink, Mailbox
from monitor.fleet.query_commands import CommandDesk
from monitor.fleet.query_feed import Job
from monitor.fleet.query_history import past
from monitor.fleet.query_standing import FleetStanding
from monitor.network.access import Access
from monitor.sinks.publisher import Publisher
from monitor.sinks.viewers import Request

MOST_OF_ONE: Final = 200
"""Requests of a viewer that wait for an answer; further ones are refused."""
LOOKED_UP: Final = 4
"""Requests about the past that are looked up at once; the others wait for them."""
PAST_S: Final = 10.0
"""Longest time for looking up the past, in seconds."""
TOO_MANY: Final = "Too many of your requests wait for an answer: try again in some seconds."
NO_PAST: Final = "JetStream does not say what was: look whether its server runs, and try again."


@dataclass(eq=False, slots=True)
class AskedRequest:
    """A request, and its answer once it is known."""

    request: Request
    answer: messages.Done | messages.Past | messages.Refused | None = None


class FleetRequests:
    """Carries out what viewers of the query side ask for.

    Parameters
    ----------
    link : FleetLink
        Connected.
    box : Mailbox
        Where answers come back to the thread of who asks.
    publisher : Publisher
        Answers viewers.
    access : Access
        Whose past they may read.
    standing : FleetStanding
        Which alarms stand.
    desk : CommandDesk
        Sends commands.
    """

    def __init__(
        self,
        link: FleetLink,
        box: Mailbox[Job],
        publisher: Publisher,
        access: Access,
        standing: FleetStanding,
        desk: CommandDesk,
    ) -> None:
        self._link = link
        self._box = box
        self._publisher = publisher
        self._access = access
        self._standing = standing
        self._desk = desk
        self._waiting: dict[bytes, deque[AskedRequest]] = {}
        self._places = asyncio.Semaphore(LOOKED_UP)

    def carry_out(self, request: Request, now: float) -> None:
        """Do what a viewer asks for, and answer when that is done."""
        waiting = self._waiting.setdefault(request.peer, deque())
        if len(waiting) >= MOST_OF_ONE:
            self._publisher.refuse(request, TOO_MANY)
            return
        asked = AskedRequest(request)
        waiting.append(asked)
        message = request.message
        if isinstance(message, messages.History):
            self._link.start(self._look_up(asked, message))
        elif isinstance(message, messages.Acknowledge) and self._seen(message):
            self._answer(asked, messages.Done())
        else:
            self._desk.ask(message, partial(self._done, asked), now)

    def _seen(self, message: messages.Acknowledge) -> bool:
        """Tell whether somebody has acknowledged an alarm already."""
        alarm = self._standing.alarm(message.wearer, message.alarm)
        return alarm is not None and alarm.state == "acknowledged"

    def _done(self, asked: AskedRequest, refused: str | None) -> None:
        answer = messages.Done() if refused is None else messages.Refused(reason=refused)
        self._answer(asked, answer)

    def _answer(
        self, asked: AskedRequest, answer: messages.Done | messages.Past | messages.Refused
    ) -> None:
        """Answer a request, once those before it are answered."""
        asked.answer = answer
        peer = asked.request.peer
        waiting = self._waiting[peer]
        while waiting and (ready := waiting[0].answer) is not None:
            request = waiting.popleft().request
            if isinstance(ready, messages.Refused):
                self._publisher.refuse(request, ready.reason)
            else:
                self._publisher.answer(request, ready)
        if not waiting:
            del self._waiting[peer]

    async def _look_up(self, asked: AskedRequest, message: messages.History) -> None:
        """Look up the past; in the thread of the link."""
        from nats.errors import Error

        answer: messages.Past | messages.Refused
        try:
            async with self._places, asyncio.timeout(PAST_S):
                answer = await past(self._link, message)
        except (Error, TimeoutError):
            answer = messages.Refused(reason=NO_PAST)
        self._box.put(partial(self._found, asked, answer))

    def _found(self, asked: AskedRequest, answer: messages.Past | messages.Refused) -> None:
        if isinstance(answer, messages.Past):
            user = asked.request.user
            entries = [one for one in answer.entries if self._access.may_read(user, one.wearer)]
            answer = messages.Past(entries=entries, before=answer.before)
        self._answer(asked, answer)
