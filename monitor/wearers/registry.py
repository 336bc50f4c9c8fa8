"""The registry of all wearers: who is monitored, whose streams are open, and which requests fit."""

from collections.abc import Callable, Iterable
from typing import Final

from ecgmon.core.errors import RefusedError, StateError
from ecgmon.wire import messages
from monitor.alarms.alarm_messages import AlarmMessages
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.device_conditions import device_conditions, silent_seconds
from monitor.wearers.judge_pools import JudgePools
from monitor.wearers.leads import hear, is_due
from monitor.wearers.lifecycle import begin, end, made, set_aside
from monitor.wearers.pipeline import advance
from monitor.wearers.places import MAX_UNFINISHED, WearerPlaces, longest_silent
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.recovery import recover
from monitor.wearers.session import WearerSession, link, require_same
from monitor.wearers.state import load, save
from monitor.wearers.stream import Stream
from monitor.wearers.stream_tail import StreamTail
from monitor.wearers.wearer_table import WearerTable

TAKEOVER_S: Final = 5.0
"""A device that sent something within this many seconds is not replaced by another one."""


class WearerRegistry:
    """All monitored wearers with their sessions and signal state.

    Parameters
    ----------
    policy : WearerPolicy
        How they are monitored; another one may be adopted at any time.

    Attributes
    ----------
    own : AlarmMessages
        The alarms of the monitor itself.
    closed_until : float
        Monotonic time in seconds until which no further wearer is taken on.
    """

    def __init__(self, policy: WearerPolicy) -> None:
        self._policy = policy
        self._places = WearerPlaces(policy.capacity)
        self._judges = JudgePools(policy, self._places.beats)
        self._wearers = WearerTable(policy)
        self._turned_away, self.closed_until = False, float("-inf")
        self.own = AlarmMessages(None)

    def restore(
        self,
        past: Iterable[messages.Alarm | messages.Paused],
        unfinished: Iterable[messages.Closed],
        now: float,
    ) -> None:
        """Go on after a restart; see `WearerTable.restore`."""
        alarms = list(past)
        self.own.restore(message for message in alarms if message.wearer is None)
        self._wearers.restore(alarms, unfinished, now)

    def adopt(self, policy: WearerPolicy) -> None:
        """Monitor by another policy from now on, but with the places of the first one.

        Open streams stay open, on their leads.
        """
        self._policy = policy
        self._judges = JudgePools(policy, self._places.beats)
        self._wearers.adopt(policy)

    @property
    def streams(self) -> list[Stream]:
        """The open streams."""
        return [active.stream for active in self._wearers.streams]

    @property
    def behind(self) -> bool:
        """Whether samples wait to be judged, but for streams in recovery."""
        return any(map(is_due, self._wearers.streams))

    @property
    def recovering(self) -> bool:
        """Whether streams are being brought to where they were before a restart."""
        return any(active.backlog for active in self._wearers.streams)

    def going_on(self, hello: messages.Hello) -> ActiveStream | None:
        """Return the open stream of a device that comes back; None if it is not open.

        Raises
        ------
        UsageError
            If the hello does not fit it.
        """
        active = self._wearers.stream(hello.wearer)
        if active is None or active.hello.stream != hello.stream:
            return None
        require_same(hello, active.stream.rate_mhz, active.lead)
        return active

    def claim(self, hello: messages.Hello, now: float) -> None:
        """Check whether a stream could be opened.

        Raises
        ------
        UsageError
            If it can never be.
        RefusedError
            If it cannot be now: another device sends this wearer's signal, or no place is free.
        """
        self._policy.lead_of(hello)
        active = self._wearers.stream(hello.wearer)
        if active is not None and now - active.last_received < TAKEOVER_S:
            raise RefusedError(
                f"Another device streams for {hello.wearer}: switch it off, or wait.", TAKEOVER_S
            )
        if active is None and now < self.closed_until:
            raise RefusedError("This monitor is overloaded.", self.closed_until - now)
        if active is None and not self._has_place(now):
            self._turned_away = True
            raise self._places.refusal()

    def open(
        self, hello: messages.Hello, tail: StreamTail | None, now: float
    ) -> tuple[ActiveStream, list[messages.Published]]:
        """Begin a wearer's stream, or go on with one from before a restart; `claim` comes first.

        Parameters
        ----------
        hello : Hello
            How the device opens it.
        tail : StreamTail or None
            What is on disk of the stream.
        now : float
            Monotonic time in seconds.

        Raises
        ------
        UsageError
            If the hello does not fit the tail, or no model can serve.
        """
        # What can fail comes first: messages about the stream before must not be lost.
        if tail is not None:
            require_same(hello, tail.rate_mhz, tail.lead)
        model, refused = self._judges.windows.serving(hello.wearer)
        lead = self._policy.lead_of(hello)
        session = self._wearers.get_or_add(hello.wearer)
        published = self._end(session) if session.active else []
        if not self._places:
            published += self._free_place(now)
        stream = Stream(
            hello.wearer,
            int(hello.stream, 16),
            self._places.take(),
            round(hello.rate * 1000),
            tail.first if tail else 0,
        )
        shared = self._places.chain(model.card.geometry), self._places.windows
        active = made(session, stream, hello, lead, model, *shared, now)
        active.refused = refused
        taken_up = self._judges.take_up(active)
        return active, [*published, *begin(session, active, tail), *taken_up]

    def hear(self, stream: Stream, lead: str) -> Stream | None:
        """Return where frames of another lead of an open stream go; None if it is not used.

        A wearer with a configured lead is watched by that one alone.
        """
        active = self._wearers.stream(stream.wearer)
        if active is None or self._policy.lead(stream.wearer) is not None:
            return None
        return hear(active, lead, self._places.second_row)

    def save(self, wearer: str) -> bytes:
        """Return the state of a wearer; see `monitor.wearers.state`."""
        return save(self._wearers[wearer])

    def load(self, data: bytes, ahead_s: float = 0.0) -> None:
        """Go on with a wearer of another monitor, who is not monitored here.

        Raises
        ------
        StateError
            If the state does not fit this monitor, or the wearer is monitored already.
        RefusedError
            If no place is free.
        """
        place = self._places.peek()
        session = load(
            data,
            self._policy.limits,
            self._judges.windows.serving,
            lambda geometry: (self._places.chain(geometry), self._places.windows, place),
            self._places.second_row,
            self._judges.take_up,
            ahead_s,
        )
        if session.wearer in self._wearers:
            raise StateError(f"{session.wearer} is watched here already: end that stream first.")
        if session.active:
            self._places.take()
        self._wearers.add(session)

    def let_go(self, wearers: Iterable[str]) -> None:
        """Forget wearers without a word: another monitor goes on with them."""
        for wearer in wearers:
            if wearer in self._wearers and (active := self._wearers.remove(wearer).active):
                self._places.give_back(active.stream.row)

    def close(self, stream: Stream) -> list[messages.Published]:
        """Process what has arrived of a stream and end it; nothing if another took its place."""
        active = self._wearers.stream(stream.wearer)
        if active is None or active.stream is not stream:
            return []
        return self._end(self._wearers[stream.wearer])

    def shed(self, count: int, now: float, why: str) -> list[messages.Published]:
        """Set aside so many wearers with a stream, those who came last first."""
        published: list[messages.Published] = []
        rows = [(one, one.active.stream.row) for one in self._wearers if one.active]
        for session, row in reversed(rows[-count:]):
            self._places.give_back(row)
            published += set_aside(session, now, why)
        return published

    def share_places(self, elsewhere: int) -> None:
        """Take that so many of the places are taken by wearers of other monitors."""
        self._places.elsewhere = elsewhere

    def carry_out(self, of: messages.Acknowledge | messages.Pause) -> list[messages.Published]:
        """Note that an alarm is seen, or silence alarms; raises `UsageError` where it cannot be."""
        alarms = self.own if of.wearer is None else self._wearers[of.wearer].alarm_messages
        if isinstance(of, messages.Acknowledge):
            return alarms.acknowledge(of.alarm, of.by)
        return alarms.pause(of.kind, of.seconds, of.by)

    def snapshot(self, now: float) -> list[messages.Published]:
        """Return the state of all wearers as messages, for a new viewer."""
        return [
            *self.own.snapshot(),
            *(message for session in self._wearers for message in session.snapshot()),
            *self.links(now),
        ]

    def links(self, now: float, part: int | None = None) -> list[messages.Published]:
        """Return the messages about the connections of all streams, or of a part's."""
        return [link(one.active, now) for one in self._wearers.part(part) if one.active]

    def advance(
        self, wants_trace: Callable[[str], bool], *, ripe: bool = False
    ) -> list[messages.Published]:
        """Process pending samples, and one step of recoveries; see `monitor.wearers.pipeline`."""
        sessions = list(self._wearers)
        return recover(sessions) + advance(sessions, wants_trace, ripe=ripe)

    def check(self, now: float, part: int | None = None) -> list[messages.Published]:
        """Check what only time shows: pauses, devices, places; call it once a second for each."""
        published = self.own.tick()
        for session in self._wearers.part(part):
            published += session.alarm_messages.tick()
            silent_s = silent_seconds(session, now)
            published += device_conditions(session, now, silent_s)
            if silent_s > self._policy.forget_s:
                published += self._end(session)
            if session.idle:
                self._wearers.forget(session)
        self._turned_away = self._turned_away and not self._has_place(now)
        text = f"a device was refused: all {self._places.capacity} places are taken"
        return [*published, *self.own.condition("room", self._turned_away, text=text)]

    def take_up_models(self, part: int | None = None) -> list[messages.Published]:
        """Change to models that were put into service meanwhile; those that cannot serve do not."""
        sessions = self._wearers.part(part)
        return [m for one in sessions for m in self._judges.take_up_changed(one, self._policy)]

    def _end(self, session: WearerSession) -> list[messages.Published]:
        """End a wearer's stream, and free its place."""
        active = session.active
        published = end(session, list(self._wearers))
        if active:
            self._places.give_back(active.stream.row)
        return published

    def _has_place(self, now: float) -> bool:
        return bool(self._places) or longest_silent(self._wearers, now) is not None

    def _free_place(self, now: float) -> list[messages.Published]:
        """Free the place of the device that is silent longest."""
        session = longest_silent(self._wearers, now)
        if session is None or session.active is None:
            raise self._places.refusal()
        gone = [one for one in self._wearers if one.unfinished]
        full = len(gone) >= MAX_UNFINISHED
        published = self._end(min(gone, key=lambda one: one.unfinished_since)) if full else []
        self._places.give_back(session.active.stream.row)
        return published + set_aside(session, now)
