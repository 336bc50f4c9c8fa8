"""All wearers under watch: from their pending samples to what is published of them."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecgmon.errors import BundleError, UsageError
from ecgmon.grid import RATE, WINDOW
from ecgmon.signal import Geometry, SignalChain
from ecgmon.signal.quality import NAMES
from ecgmon.wire import messages
from monitor.alerts import AlertRules, Alerts, Second
from monitor.classify import Models, classify
from monitor.streams import Segment, Stream
from monitor.watched import Watched

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

MAX_FILLED: Final = 600
"""Seconds of a gap that are reported one by one; the gap itself is always reported whole."""


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
        return stream, [*closed, self._watched[hello.wearer].opened()]

    def close(self, stream: Stream) -> list[messages.Published]:
        """Process what has arrived of a stream and end it; nothing if another took its place."""
        watched = self._watched.get(stream.wearer)
        if watched is None or watched.stream is not stream:
            return []
        published = self._process([watched], lambda _: False)
        _log.info(
            "wearer=%s stream=%s closed end=%d", stream.wearer, watched.hello.stream, stream.next
        )
        del self._watched[stream.wearer]
        self._free.append(stream.row)
        closed = messages.Closed(wearer=stream.wearer, stream=watched.hello.stream, end=stream.next)
        return [*published, watched.link(time.monotonic()), closed]

    def acknowledge(self, request: messages.Acknowledge) -> list[messages.Published]:
        """Note that a person has seen an alert."""
        watched = self._watched.get(request.wearer)
        if watched is None or watched.hello.stream != request.stream:
            return []
        at = watched.stream.next
        change = watched.alerts.acknowledge(request.alert, request.by, at)
        return [watched.alert(change)] if change else []

    def snapshot(self) -> list[messages.Published]:
        """Say again what is open and which alerts stand, for those who listen from now on."""
        told: list[messages.Published] = []
        for watched in self._watched.values():
            told.append(watched.opened())
            told += [watched.alert(standing) for standing in watched.alerts.standing]
        return told

    def take_up_models(self) -> list[messages.Published]:
        """Change to models that were put into service meanwhile; those that cannot serve do not."""
        told: list[messages.Published] = []
        for watched in self._watched.values():
            try:
                model, refused = self._models.of(watched.stream.wearer), None
                if model.card.geometry != watched.model.card.geometry:
                    raise BundleError(
                        f"{model.card.name} sees other history than the model that judges: "
                        "it can serve from the next stream on."
                    )
            except UsageError as error:
                model, refused = watched.model, str(error)[:500]
            news = model is not watched.model or (refused and refused != watched.refused)
            watched.model, watched.refused = model, refused
            if news:
                swap = watched.swap()
                _log.info(
                    "wearer=%s stream=%s model=%s sha256=%s refused=%r",
                    swap.wearer,
                    swap.stream,
                    swap.model,
                    model.sha256[:12],
                    refused,
                )
                told.append(swap)
        return told

    def link(self, now: float) -> list[messages.Published]:
        """Say how every stream is doing."""
        return [watched.link(now) for watched in self._watched.values()]

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
            w.trace(len(samples)) for w, samples in members if wants_trace(w.stream.wearer)
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
    return [window, *(watched.alert(change) for change in watched.alerts.observe(second))]
