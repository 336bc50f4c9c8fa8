"""All wearers under watch: from their pending samples to what is published of them."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecgmon.bundle import Model
from ecgmon.errors import UsageError
from ecgmon.grid import RATE, WINDOW
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.quality import NAMES
from ecgmon.wire import messages
from monitor.alerts import AlertRules, Alerts, Second, Transition
from monitor.classify import Models, classify
from monitor.streams import Segment, Stream

_T = TypeVar("_T")

MAX_FILLED: Final = 600
"""Seconds of a gap that are reported one by one; the gap itself is always reported whole."""


@dataclass(eq=False, slots=True)
class Watched:
    """A wearer under watch; ``beats`` of the stream so far, ``beats_before`` the latest gap."""

    stream: Stream
    hello: messages.Hello
    model: Model
    chain: SignalChain
    alerts: Alerts
    beats: int = 0
    beats_before: int = 0


class Ward:
    """The wearers and their signal state.

    Parameters
    ----------
    resolve : callable
        Gives the path of a wearer's bundle.
    rules : AlertRules
        What raises and clears alerts.
    capacity : int
        Most wearers at once.
    """

    def __init__(
        self, resolve: Callable[[str], Path], rules: AlertRules, capacity: int = 64
    ) -> None:
        self._models = Models(resolve)
        self._rules = rules
        self._capacity = capacity
        self._chains: dict[Geometry, SignalChain] = {}
        self._watched: dict[str, Watched] = {}
        self._free = list(range(capacity))

    @property
    def streams(self) -> list[Stream]:
        """The open streams."""
        return [watched.stream for watched in self._watched.values()]

    def open(self, hello: messages.Hello) -> tuple[Stream, list[messages.Published]]:
        """Begin a wearer's stream, or go on with it after a reconnect.

        Raises
        ------
        UsageError
            If it cannot be taken: another rate, too many wearers, no model.
        """
        number = int(hello.stream, 16)
        old = self._watched.get(hello.wearer)
        if old and old.stream.number == number:
            return old.stream, []
        if hello.rate != RATE:
            raise UsageError(f"This monitor takes {RATE} Hz, not {hello.rate:g} Hz.")
        if old is None and not self._free:
            raise UsageError(f"This monitor watches {self._capacity} wearers already.")
        model = self._models.of(hello.wearer)
        closed = self.close(old.stream) if old else []
        geometry = model.card.geometry
        if geometry not in self._chains:
            self._chains[geometry] = SignalChain(geometry, self._capacity)
        chain = self._chains[geometry]
        stream = Stream(hello.wearer, number, self._free.pop(), round(hello.rate * 1000))
        chain.reset(stream.row, 0)
        self._watched[hello.wearer] = Watched(stream, hello, model, chain, Alerts(self._rules))
        return stream, [*closed, _opened(self._watched[hello.wearer])]

    def close(self, stream: Stream) -> list[messages.Published]:
        """Process what has arrived of a stream and end it; nothing if another took its place."""
        watched = self._watched.get(stream.wearer)
        if watched is None or watched.stream is not stream:
            return []
        published = self._process([watched], lambda _: False)
        del self._watched[stream.wearer]
        self._free.append(stream.row)
        closed = messages.Closed(wearer=stream.wearer, stream=watched.hello.stream, end=stream.next)
        return [*published, _link(watched, time.monotonic()), closed]

    def acknowledge(self, request: messages.Acknowledge) -> list[messages.Published]:
        """Note that a person has seen an alert."""
        watched = self._watched.get(request.wearer)
        if watched is None or watched.hello.stream != request.stream:
            return []
        at = watched.stream.next
        change = watched.alerts.acknowledge(request.alert, request.by, at)
        return [_alert(watched, change)] if change else []

    def snapshot(self) -> list[messages.Published]:
        """Say again what is open and which alerts stand, for those who listen from now on."""
        told: list[messages.Published] = []
        for watched in self._watched.values():
            told.append(_opened(watched))
            told += [_alert(watched, standing) for standing in watched.alerts.standing]
        return told

    def link(self, now: float) -> list[messages.Published]:
        """Say how every stream is doing."""
        return [_link(watched, now) for watched in self._watched.values()]

    def advance(self, wants_trace: Callable[[str], bool]) -> list[messages.Published]:
        """Process all pending samples, together for wearers that got as many.

        Parameters
        ----------
        wants_trace : callable
            Tells whether anybody draws this wearer's signal.

        Returns
        -------
        list of Published
            In the order of time for each wearer.
        """
        return self._process(self._watched.values(), wants_trace)

    def _process(
        self, wearers: Collection[Watched], wants_trace: Callable[[str], bool]
    ) -> list[messages.Published]:
        published: list[messages.Published] = []
        while ready := [w for w in wearers if w.stream.pending]:
            groups: dict[tuple[int, int], list[tuple[Watched, NDArray[np.float64]]]] = defaultdict(
                list
            )
            for watched in ready:
                segment = watched.stream.pending.popleft()
                published += self._reset_after_gap(watched, segment)
                samples = np.concatenate(segment.parts)
                groups[id(watched.chain), len(samples)].append((watched, samples))
            for members in groups.values():
                published += self._push(members, wants_trace)
        return published

    def _reset_after_gap(self, watched: Watched, segment: Segment) -> list[messages.Published]:
        if not segment.missing:
            return []
        watched.chain.reset(watched.stream.row, segment.first)
        watched.beats_before = watched.beats
        watched.stream.skip_to(segment)
        gap = messages.Gap(
            wearer=watched.stream.wearer,
            stream=watched.hello.stream,
            first=segment.first - segment.missing,
            count=segment.missing,
        )
        # What ended before has no hope any more; a stream full of gaps may never bring a window.
        return [gap, *_fill(watched, segment.first // WINDOW * WINDOW)]

    def _push(
        self, members: list[tuple[Watched, NDArray[np.float64]]], wants_trace: Callable[[str], bool]
    ) -> list[messages.Published]:
        chain = members[0][0].chain
        rows = np.array([w.stream.row for w, _ in members], dtype=np.intp)
        windows = chain.push(rows, np.stack([samples for _, samples in members]))
        of_row = {w.stream.row: w for w, _ in members}
        probability = classify(windows, {row: w.model for row, w in of_row.items()})
        published: list[messages.Published] = [
            _trace(w, len(samples)) for w, samples in members if wants_trace(w.stream.wearer)
        ]
        for i, row in enumerate(windows.rows.tolist()):
            watched, first = of_row[row], int(windows.first[i])
            published += _fill(watched, first)
            published += _report(
                watched,
                Second(
                    end=first + WINDOW,
                    state=NAMES[windows.state[i]],
                    abnormal=_known(
                        bool(probability[i] >= watched.model.card.threshold), probability[i]
                    ),
                    last_beat=int(windows.last_beat[i]),
                    beats=watched.beats_before + int(windows.beats[i]),
                ),
                probability=_known(float(probability[i]), probability[i]),
                heart_rate=_known(float(windows.heart_rate[i]), windows.heart_rate[i]),
            )
        return published


def _known(value: _T, witness: float) -> _T | None:
    """Return the value, or None where its witness is NaN."""
    return None if np.isnan(witness) else value


def _fill(watched: Watched, until: int) -> list[messages.Published]:
    """Report the seconds before ``until`` that could not be classified.

    Samples of them never arrived, or of what the model needs around them.
    """
    stream = watched.stream
    published: list[messages.Published] = []
    first = max(stream.next_window, until - MAX_FILLED * WINDOW)
    for start in range(first, until, WINDOW):
        end = start + WINDOW
        mostly_missing = 2 * stream.missing_of(start, end) > WINDOW
        second = Second(
            end=end,
            state="absent" if mostly_missing else "signal",
            abnormal=None,
            last_beat=end,  # what the heart did meanwhile is not known
            beats=watched.beats,
        )
        published += _report(watched, second, probability=None, heart_rate=None)
    return published


def _report(
    watched: Watched, second: Second, *, probability: float | None, heart_rate: float | None
) -> list[messages.Published]:
    watched.stream.next_window = second.end
    watched.beats = second.beats
    window = messages.Window(
        wearer=watched.stream.wearer,
        stream=watched.hello.stream,
        first=second.end - WINDOW,
        state=second.state,
        probability=probability,
        abnormal=second.abnormal,
        heart_rate=heart_rate,
        model=watched.model.card.name,
    )
    return [window, *(_alert(watched, change) for change in watched.alerts.observe(second))]


def _opened(watched: Watched) -> messages.Opened:
    card = watched.model.card
    return messages.Opened(
        wearer=watched.stream.wearer,
        stream=watched.hello.stream,
        lead=watched.hello.lead,
        rate=watched.hello.rate,
        model=card.name,
        threshold=card.threshold,
        look_ahead_s=card.look_ahead_s,
    )


def _link(watched: Watched, now: float) -> messages.Link:
    stream = watched.stream
    return messages.Link(
        wearer=stream.wearer,
        stream=watched.hello.stream,
        received=stream.received,
        missing=stream.missing,
        repeated=stream.repeated,
        lag_s=stream.lag(now),
    )


def _alert(watched: Watched, change: Transition) -> messages.Alert:
    return messages.Alert(
        wearer=watched.stream.wearer,
        stream=watched.hello.stream,
        alert=change.alert,
        kind=change.kind,
        priority=change.priority,
        state=change.state,
        at=change.at,
        text=change.text,
        by=change.by,
    )


def _trace(watched: Watched, n: int) -> messages.Trace:
    filtered = watched.chain.recent(watched.stream.row, n)
    microvolts = np.clip(filtered * 1000, -32767, 32767).astype("<i2")
    return messages.Trace(
        wearer=watched.stream.wearer,
        stream=watched.hello.stream,
        first=int(watched.chain.next[watched.stream.row]) - len(filtered),
        samples=microvolts.tobytes(),
    )
