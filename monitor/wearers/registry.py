"""All wearers under watch: whose streams are open, which models judge them, which alarms stand."""

from collections.abc import Callable, Iterable
from typing import Final

from ecgmon.core.errors import RefusedError, StateError, UsageError
from ecgmon.signal import Geometry, SignalChain
from ecgmon.wire import messages
from monitor.alarms.conditions.k_of_n import KOfN
from monitor.alarms.kinds import OF_SIGNAL
from monitor.alarms.messages import AlarmMessages
from monitor.alarms.rules import GAPS
from monitor.inference.engine import ModelPool
from monitor.wearers.pipeline import advance, cut, recover
from monitor.wearers.places import longest_silent, set_aside
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.session import (
    ActiveStream,
    WearerSession,
    conditions,
    link,
    opened,
    require_same,
    swap,
    wrong_rate,
)
from monitor.wearers.state import load, save
from monitor.wearers.stream import Piece, Stream
from monitor.wearers.stream_tail import StreamTail

TAKEOVER_S: Final = 5.0
"""A wearer's device that was heard of so lately is not replaced by another one."""
MAX_REMEMBERED: Final = 10_000
"""Wearers watched no more of whom it is known how many alarms they had."""
MAX_MISSING: Final = 1024
"""Wearers whose silent devices have lost their places: beyond, the longest missing is let go."""


class WearerRegistry:
    """The wearers and their signal state.

    Parameters
    ----------
    policy : WearerPolicy
        How they are watched; another one may be set any time.

    Attributes
    ----------
    own : AlarmMessages
        The alarms of the monitor itself.
    """

    def __init__(self, policy: WearerPolicy) -> None:
        self._policy = policy
        self._models = ModelPool(policy.resolve)
        self._chains: dict[Geometry, SignalChain] = {}
        self._watched: dict[str, WearerSession] = {}
        self._capacity = policy.capacity
        self._free = list(range(policy.capacity))
        self._numbers: dict[str, int] = {}
        self._turned_away = False
        self.own = AlarmMessages(None)

    def restore(
        self,
        past: Iterable[messages.Alarm | messages.Paused],
        open_: Iterable[messages.Closed],
        now: float,
    ) -> None:
        """Go on from what was told of alarms, and of streams that had not ended."""
        by_wearer: dict[str | None, list[messages.Alarm | messages.Paused]] = {}
        for message in past:
            by_wearer.setdefault(message.wearer, []).append(message)
        self.own.restore(by_wearer.pop(None, []))
        missed = {closed.wearer: closed for closed in open_}
        for wearer in {*missed, *(wearer for wearer in by_wearer if wearer)}:
            watched = self._of(wearer)
            watched.told.restore(by_wearer.get(wearer, []))
            watched.missed, watched.missed_since = missed.get(wearer), now

    def adopt(self, policy: WearerPolicy) -> None:
        """Watch in another way from now on, but no more wearers at once than before.

        Streams that are open stay so, on their leads.
        """
        self._policy = policy
        self._models = ModelPool(policy.resolve)
        for watched in self._watched.values():
            rules = policy.rules(watched.wearer)
            changed, watched.rules = rules != watched.rules, rules
            if watched.live and changed:
                now = int(watched.live.chain.next[watched.live.stream.row])
                watched.live.conditions = conditions(watched, now)

    @property
    def streams(self) -> list[Stream]:
        """The open streams."""
        return [watched.live.stream for watched in self._watched.values() if watched.live]

    @property
    def behind(self) -> bool:
        """Whether samples that have come are not judged, but for streams that are recovered."""
        lives = [watched.live for watched in self._watched.values() if watched.live]
        return any(live.stream.pending and not live.recalled for live in lives)

    @property
    def recovering(self) -> bool:
        """Whether streams are being brought to where they were before a restart."""
        return any(watched.live and watched.live.recalled for watched in self._watched.values())

    def going_on(self, hello: messages.Hello) -> ActiveStream | None:
        """Return the stream of a device that comes back, if it is open.

        Raises
        ------
        UsageError
            If the hello does not fit it.
        """
        live = self._live(hello.wearer)
        if live is None or live.hello.stream != hello.stream:
            return None
        require_same(hello, live.stream.rate_mhz, live.lead)
        return live

    def claim(self, hello: messages.Hello, now: float) -> None:
        """Check whether a stream could be opened.

        Raises
        ------
        UsageError
            If it never can.
        RefusedError
            If it cannot now: another device sends this wearer's signal, or there is no room.
        """
        self._policy.lead_of(hello)
        live = self._live(hello.wearer)
        if live is not None and now - live.heard < TAKEOVER_S:
            raise RefusedError(
                f"Another device streams for {hello.wearer}: switch it off, or wait.", TAKEOVER_S
            )
        if live is None and not self._has_room(now):
            self._turned_away = True
            raise RefusedError(f"This monitor watches {self._capacity} wearers already.", 60.0)

    def open(
        self, hello: messages.Hello, recalled: StreamTail | None, now: float
    ) -> tuple[ActiveStream, list[messages.Published]]:
        """Begin a wearer's stream, or go on with one from before a restart; `claim` comes first.

        Raises
        ------
        UsageError
            If the hello does not fit what is known of the stream, or no model can serve.
        """
        # What can fail comes first: what is told of the stream before must not be lost.
        if recalled is not None:
            require_same(hello, recalled.rate_mhz, recalled.lead)
        model, refused = self._models.serving(hello.wearer)
        lead = self._policy.lead_of(hello)
        watched = self._of(hello.wearer)
        told = self._end(watched) if watched.live else []
        if not self._free:
            told += self._give_up_place(now)
        stream = Stream(
            hello.wearer,
            int(hello.stream, 16),
            self._free.pop(),
            round(hello.rate * 1000),
            recalled.first if recalled else 0,
        )
        chain = self._chain(model.card.geometry)
        chain.reset(stream.row, stream.end)
        live = ActiveStream(
            stream=stream,
            hello=hello,
            lead=lead,
            judges=(model,),
            chain=chain,
            conditions=conditions(watched, stream.end),
            heard=now,
            next_second=stream.next_window,
            refused=refused,
            gaps=KOfN(GAPS, "gaps" in watched.told.alarms.holding),
        )
        watched.live, watched.missed = live, None
        told += [opened(live), *self._no_model(watched, refused)]
        if recalled is not None:
            _recall(live, recalled)
        return live, told

    def save(self, wearer: str) -> bytes:
        """Return all that is known of a wearer; see `monitor.wearers.state`."""
        return save(self._watched[wearer])

    def load(self, data: bytes, ahead_s: float = 0.0) -> None:
        """Go on with a wearer of another monitor, who is not watched here.

        Raises
        ------
        StateError
            If what was saved does not fit this monitor, or the wearer is watched already.
        RefusedError
            If there is no room.
        """
        if not self._free:
            raise RefusedError(f"This monitor watches {self._capacity} wearers already.", 60.0)
        watched = load(
            data,
            self._policy.rules,
            self._models.serving,
            lambda geometry: (self._chain(geometry), self._free[-1]),
            ahead_s,
        )
        if watched.wearer in self._watched:
            raise StateError(f"{watched.wearer} is watched here already: end that stream first.")
        if watched.live:
            self._free.pop()
        self._watched[watched.wearer] = watched

    def close(self, stream: Stream) -> list[messages.Published]:
        """Process what has arrived of a stream and end it; nothing if another took its place."""
        watched = self._watched.get(stream.wearer)
        if watched is None or watched.live is None or watched.live.stream is not stream:
            return []
        return self._end(watched)

    def acknowledge(self, request: messages.Acknowledge) -> list[messages.Published]:
        """Note that a person has seen an alarm; raises `UsageError` if it stands no more."""
        return self._told(request.wearer).acknowledge(request.alarm, request.by)

    def pause(self, request: messages.Pause) -> list[messages.Published]:
        """Silence alarms for a while; raises `UsageError` where that cannot be."""
        return self._told(request.wearer).pause(request.kind, request.seconds, request.by)

    def snapshot(self, now: float) -> list[messages.Published]:
        """Say again how all are, for somebody who listens from now on."""
        watched = self._watched.values()
        return [
            *self.own.snapshot(),
            *(said for one in watched for said in one.snapshot()),
            *self.links(now),
        ]

    def links(self, now: float) -> list[messages.Published]:
        """Say how every stream is doing."""
        return [link(watched.live, now) for watched in self._watched.values() if watched.live]

    def advance(self, wants_trace: Callable[[str], bool]) -> list[messages.Published]:
        """Process pending and some recovered samples; see `monitor.wearers.pipeline`."""
        watched = list(self._watched.values())
        return [*recover(watched), *advance(watched, wants_trace)]

    def check(self, now: float) -> list[messages.Published]:
        """Look after what only time tells: silent devices, late ones, pauses; once a second."""
        told = self.own.tick()
        for watched in list(self._watched.values()):
            told += watched.told.tick()
            live = watched.live
            if live is None:
                silent_s = now - watched.missed_since if watched.missed else 0.0
            else:
                if live.stream.received != live.counted:  # what is repeated shows no heart
                    live.counted, live.heard = live.stream.received, now
                silent_s = now - live.heard
                late = live.stream.clock.lag(now) > watched.rules.lag_s
                # What has fallen silent is not late as well.
                told += watched.told.condition("lag", late and silent_s < watched.rules.lag_s)
                wrong = live.stream.delivered.wrong
                if wrong is not None and live.hello.replay is not True:
                    told += watched.told.condition("rate", wrong, text=wrong_rate(live))
            told += watched.told.condition("silent", silent_s > watched.rules.silent_s)
            if silent_s > self._policy.forget_s:
                told += self._end(watched)
            if watched.idle:
                self._forget(watched)
        self._turned_away = self._turned_away and not self._has_room(now)
        text = f"a device was refused: all {self._capacity} places are taken"
        return [*told, *self.own.condition("room", self._turned_away, text=text)]

    def take_up_models(self) -> list[messages.Published]:
        """Change to models that were put into service meanwhile; those that cannot serve do not."""
        told: list[messages.Published] = []
        for watched in self._watched.values():
            live = watched.live
            if live is None or live.recalled:
                continue
            model, refused = self._models.serving(watched.wearer, live.model)
            news = model.sha256 != live.model.sha256 or (refused and refused != live.refused)
            live.serve(model)
            live.refused = refused
            told += self._no_model(watched, refused)
            if news:
                changed = {"model": model.card.name, "sha256": model.sha256[:12]}
                live.log.info("model", **changed, refused=refused)
                told.append(swap(live))
        return told

    def _no_model(self, watched: WearerSession, refused: str | None) -> list[messages.Published]:
        return watched.told.condition("no-model", refused is not None, text=refused)

    def _end(self, watched: WearerSession) -> list[messages.Published]:
        """End a wearer's stream and with it what only a stream can show."""
        told: list[messages.Published] = []
        if live := watched.live:
            stream = live.stream
            while live.recalled:  # all together cost hardly more than one
                told += recover(list(self._watched.values()))
            told += advance([watched], lambda _: False)
            live.log.info("closed", end=stream.end)
            self._free.append(stream.row)
            told += [
                link(live, live.heard),
                messages.Closed(wearer=watched.wearer, stream=live.hello.stream, end=stream.end),
            ]
        elif watched.missed:
            told.append(watched.missed)
        watched.live, watched.missed = None, None
        for kind in (*OF_SIGNAL, "silent", "lag", "rate", "no-model"):
            told += watched.told.condition(kind, False)
        return told

    def _has_room(self, now: float) -> bool:
        return bool(self._free) or longest_silent(self._watched.values(), now) is not None

    def _give_up_place(self, now: float) -> list[messages.Published]:
        """Take the place of the device that has been silent longest."""
        watched = longest_silent(self._watched.values(), now)
        if watched is None or watched.live is None:
            raise RefusedError(f"This monitor watches {self._capacity} wearers already.", 60.0)
        missing = [one for one in self._watched.values() if one.missed]
        told: list[messages.Published] = []
        if len(missing) >= MAX_MISSING:
            told += self._end(min(missing, key=lambda one: one.missed_since))
        self._free.append(watched.live.stream.row)
        return told + set_aside(watched, now)

    def _chain(self, geometry: Geometry) -> SignalChain:
        if geometry not in self._chains:
            self._chains[geometry] = SignalChain(geometry, self._capacity)
        return self._chains[geometry]

    def _live(self, wearer: str) -> ActiveStream | None:
        watched = self._watched.get(wearer)
        return watched.live if watched else None

    def _of(self, wearer: str) -> WearerSession:
        if wearer not in self._watched:
            watched = self._watched[wearer] = WearerSession(wearer, self._policy.rules(wearer))
            watched.told.restore([], self._numbers.pop(wearer, 0))
        return self._watched[wearer]

    def _forget(self, watched: WearerSession) -> None:
        """Watch a wearer no more; numbers of alarms are not used again."""
        del self._watched[watched.wearer]
        if watched.told.alarms.highest:
            self._numbers[watched.wearer] = watched.told.alarms.highest
        if len(self._numbers) > MAX_REMEMBERED:
            del self._numbers[next(iter(self._numbers))]

    def _told(self, wearer: str | None) -> AlarmMessages:
        if wearer is None:
            return self.own
        if wearer not in self._watched:
            raise UsageError(f"{wearer} is not watched.")
        return self._watched[wearer].told


def _recall(live: ActiveStream, recalled: StreamTail) -> None:
    """Give a stream what is known of it, from which `recover` brings it to where it was."""
    stream, at = live.stream, recalled.first
    for start, stop in (*recalled.gaps, (recalled.stop, recalled.stop)):
        if at < start:
            piece = Piece(
                stream=stream.number,
                first=at,
                rate_mhz=recalled.rate_mhz,
                gain=recalled.gain,
                lead=recalled.lead,
                samples=recalled.counts[at - recalled.first : start - recalled.first],
            )
            stream.recall(piece)
        at = stop
    while stream.pending:
        live.recalled.extend(cut(stream.pending.popleft()))
    live.told_from = recalled.judged
