"""The workers as the front works with them: what each says, and who takes over from whom."""

from typing import Final

from monitor.network.access import Access
from monitor.network.router import Inbox
from monitor.ops.logs import logger
from monitor.sinks.publisher import Publisher
from monitor.sinks.viewers import Told
from monitor.workers.audience import Audience
from monitor.workers.crew import Crew, CrewMember
from monitor.workers.devices import DeviceRoutes
from monitor.workers.figures import JoinedFigures
from monitor.workers.own_conditions import JoinedAlarms
from monitor.workers.placement import WearerPlacement
from monitor.workers.words import (
    Alive,
    Answers,
    Conditions,
    CountedFigures,
    Devices,
    FromWorker,
    News,
    Ready,
    Replied,
    Room,
    Said,
    SeenKinds,
    Shown,
    TakenOver,
    TakeOver,
)

MAX_UNSENT: Final = 64_000_000
"""Bytes that a worker may leave untaken; beyond that no devices are heard."""

_log = logger(__name__)


class Staff:
    """Passes on what workers say, and gives the wearers of one that has ended to others.

    Parameters
    ----------
    crew : Crew
        The processes.
    inbox : Inbox
        Of the devices.
    publisher : Publisher
        Talks to viewers.
    access : Access
        Who may do what.
    capacity : int
        Places of all workers.
    alarms : JoinedAlarms
        The alarms of the monitor itself.
    figures : JoinedFigures
        For Prometheus.

    Attributes
    ----------
    placement : WearerPlacement
        Which worker has which wearer.
    audience : Audience
        What viewers want of workers.
    left_over : bool
        Whether the last turn may not have read all that devices have said.
    """

    def __init__(
        self,
        crew: Crew,
        inbox: Inbox,
        publisher: Publisher,
        access: Access,
        capacity: int,
        alarms: JoinedAlarms,
        figures: JoinedFigures,
    ) -> None:
        self._crew = crew
        self._publisher = publisher
        self._alarms = alarms
        self._figures = figures
        self._seen: set[str] = set()
        self._complete = False
        self.placement = WearerPlacement()
        self.audience = Audience(publisher, self.placement, crew.say)
        self._devices = DeviceRoutes(inbox, access, self.placement, capacity, self._send)
        self.left_over = False

    @property
    def ready(self) -> int:
        """How many workers have started."""
        return len(self.placement.loads)

    def hear(self, now: float) -> None:
        """Take what workers have said, and see which have ended."""
        for member, word in self._crew.heard():
            self._take(member, word, now)
        for member in self._crew.take_ended(now):
            self._leave(member.number)

    def pass_on(self, now: float) -> None:
        """Read what devices have said, and send the workers all that is for them."""
        room = all(one.link.waiting < MAX_UNSENT for one in self._crew.members.values())
        self.left_over = room and self._devices.drain(now)
        self._crew.flush()

    def look(self, now: float) -> None:
        """Look after the workers; call it about once a second."""
        self._crew.look(now)
        self._devices.forget(now)
        for worker in self.placement.loads:
            self._say_room(worker)
        if self._alarms.here.seen != self._seen:
            self._seen = set(self._alarms.here.seen)
            for worker in self.placement.loads:
                self._crew.say(worker, SeenKinds(sorted(self._seen)))

    def _take(self, member: CrewMember, word: FromWorker, now: float) -> None:
        number = member.number
        match word:
            case Answers(answers=answers):
                self._devices.answer(answers)
            case News(told=told):
                self._publisher.tell([Told(*one) for one in told])
            case Alive(wearers=wearers, closed=closed):
                member.alive = now
                self.placement.report(number, wearers, closed, now)
            case Conditions(holding=holding):
                self._alarms.take(number, holding)
            case CountedFigures(families=families):
                self._figures.take(number, families)
            case Shown(number=asked, told=told):
                self.audience.shown(number, asked, told)
            case Replied(number=asked, refused=refused):
                self.audience.replied(asked, refused)
            case TakenOver(wearers=wearers):
                self.placement.settled(number, wearers)
                self._devices.settled(wearers, now)
            case Ready():
                member.ready, member.alive = True, now
                self._join(number)

    def _join(self, worker: int) -> None:
        self.placement.join(worker)
        self._devices.join(worker)
        if self._seen:
            self._crew.say(worker, SeenKinds(sorted(self._seen)))
        self._complete = self._complete or self.ready == self._crew.wanted
        if self._complete:  # at the start, the first gets no more wearers than the last
            self._adopt()
        self.audience.join(worker)

    def _leave(self, worker: int) -> None:
        """Give the wearers of a worker that has ended to others."""
        self.placement.leave(worker)
        self._devices.leave(worker)
        self._alarms.forget(worker)
        self._figures.forget(worker)
        if self._crew.ending:
            return
        self._adopt()
        self.audience.leave(worker)

    def _adopt(self) -> None:
        for worker, wearers in self.placement.adopt().items():
            _log.info("take-over", worker=worker, wearers=len(wearers))
            self._crew.say(worker, TakeOver(wearers))

    def _send(self, worker: int, said: list[Said]) -> None:
        self._say_room(worker)
        self._crew.say(worker, Devices(said))

    def _say_room(self, worker: int) -> None:
        elsewhere = self.placement.elsewhere(worker)
        if elsewhere is not None:
            self._crew.say(worker, Room(elsewhere))
