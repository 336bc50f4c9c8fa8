"""Save at any sample, restore elsewhere: every later output is bit-identical."""

import contextlib
import importlib
import pkgutil
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecgmon.models
import ecgmon.signal
import monitor.alarms
import monitor.inference
import monitor.wearers
from ecgmon.core.errors import StateError
from ecgmon.core.state import Stateful, StatefulRows
from ecgmon.models.store import Store
from ecgmon.signal import SignalChain
from ecgmon.signal.atrial_segments import AtrialBeats
from ecgmon.signal.row_beats import RowBeats
from ecgmon.signal.rows import Rows
from ecgmon.signal.sample_history import SampleHistory
from ecgmon.signal.sliding_quantiles import SlidingQuantiles
from monitor.alarms.alarm_messages import AlarmMessages
from monitor.alarms.conditions import heart_rate
from monitor.alarms.conditions.base import SignalCondition
from monitor.alarms.conditions.beat_history import BeatHistory
from monitor.alarms.conditions.rhythm_announcements import RhythmAnnouncements
from monitor.inference.beat_stack import BeatStack
from monitor.wearers import state
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.conversion import Conversion
from monitor.wearers.places import WearerPlaces
from monitor.wearers.registry import WearerRegistry
from monitor.wearers.reorder_buffer import ReorderBuffer
from monitor.wearers.stream import Stream
from monitor.wearers.wearer_table import WearerTable
from tests.support.streaming_monitor import ALL

PARTS = {
    RowBeats,  # of BeatDetector
    Rows,  # of SignalChain
    AtrialBeats,  # of Rows
    heart_rate._Limit,  # of HeartRateConditions
    RhythmAnnouncements,  # of NamedRhythms
    BeatHistory,  # of RhythmAnnouncements
    Conversion,  # of Stream
    ReorderBuffer,  # likewise
    ActiveStream,  # the rest: tests/monitor/wearers/test_state.py
    state._SavedStream,
    state._SavedWearer,
}
NO_STATE_OF_THEIR_OWN = {AlarmMessages, Store, WearerRegistry, WearerTable, WearerPlaces}
"""An AlarmStateMachine with a name, what holds the wearers, and what keeps models in files."""
SAVED_ELSEWHERE = {
    SignalChain: {"next"},
    SampleHistory: {"_views"},
    SlidingQuantiles: {"_ordered"},
    Conversion: {"_counts", "_gain", "_waiting"},
    Stream: {"_arrivals"},
}
"""The same ndarray as that of its rows; views of the samples; the latest values in order; what is
converted, or looked at, before the state is saved."""
SEVERAL = {SignalChain, BeatStack}
"""What has several kinds of output."""
TAKES = {"__call__", "accept", "add", "advance", "condition", "observe", "push", "second", "take"}
"""Methods by which a stream comes in."""
every_class = pytest.mark.parametrize("one", ALL, ids=lambda one: one.kind.__name__)


def of_row(one, row):
    """Return the first arguments of a call about a row."""
    return (row,) if issubclass(one.kind, StatefulRows) else ()


def feed(one, made, row, events, start, stop, rng):
    """Feed events, cut at random, and return what comes out, and where that was."""
    found, at = [], start
    while at < stop:
        n = min(one.unit * int(rng.choice([1, 2, 7, 36, 180, 361, 1000])), stop - at)
        found += one.drive(made, row, at, events[at : at + n])
        at += n
    # Which of several kinds of output comes first depends on the cut, the order of each does not.
    return sorted(map(repr, found)) if one.kind in SEVERAL else repr(found)


@pytest.mark.thorough
@every_class
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
@settings(max_examples=12)
def test_a_stream_goes_on_elsewhere_bit_by_bit(one, seed, share):
    rng = np.random.default_rng(seed)
    events = one.events(rng)
    saved_at = int(share * len(events)) // one.unit * one.unit
    here, there = one.make(3), one.make(5)
    feed(one, here, 1, events, 0, saved_at, rng)
    # What was in the other row before leaves no trace.
    feed(one, there, 4, events, 0, len(events) // 2 // one.unit * one.unit, rng)
    data = here.state(*of_row(one, 1))
    if issubclass(one.kind, StatefulRows):
        there.restore(4, data)
    else:
        there = one.make(5)
        there.restore(data)
    assert feed(one, there, 4, events, saved_at, len(events), rng) == feed(
        one, here, 1, events, saved_at, len(events), rng
    )
    assert one.end(there, 4, len(events)) == one.end(here, 1, len(events))


def unsaved(made, path=""):
    """Return what an object and its parts are beside their state, by its place."""
    slots = (name for kind in type(made).__mro__ for name in getattr(kind, "__slots__", ()))
    found = {}
    for name in sorted({*getattr(made, "__dict__", ()), *slots}):
        value, at = getattr(made, name), f"{path}.{name}"
        if isinstance(value, dict | list | tuple):
            inside = value.values() if isinstance(value, dict) else value
        else:
            inside = [value]
        parts = [part for part in inside if isinstance(part, Stateful | StatefulRows)]
        for number, part in enumerate(parts):
            found |= unsaved(part, f"{at}[{number}]")
        if not parts and name not in {*made.layout.fields, *SAVED_ELSEWHERE.get(type(made), ())}:
            found[at] = repr(value)
    return found


@every_class
def test_what_changes_is_saved(one):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        made, events = one.make(3), one.events(rng)
        before, step = unsaved(made), max(len(events) // 30 // one.unit, 1) * one.unit
        for at in range(0, len(events), step):
            feed(one, made, 1, events, at, min(at + step, len(events)), rng)
            assert unsaved(made) == before


def classes():
    for package in (
        ecgmon.models,
        ecgmon.signal,
        monitor.alarms,
        monitor.inference,
        monitor.wearers,
    ):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            for kind in vars(importlib.import_module(info.name)).values():
                if isinstance(kind, type) and kind.__module__ == info.name:
                    yield kind


def test_no_class_with_a_stream_is_left_out():
    known = {one.kind for one in ALL}
    found = set(classes())
    assert known <= found
    streaming = {kind for kind in found if TAKES & set(vars(kind))}
    assert len(streaming) > 15
    stateful = {kind for kind in found if issubclass(kind, Stateful | StatefulRows)} - {
        SignalCondition  # the base of conditions
    }
    assert streaming - NO_STATE_OF_THEIR_OWN - {SignalCondition} <= stateful
    assert stateful == known | PARTS
    names = [kind.layout.name for kind in stateful]
    assert len(set(names)) == len(names)


def saved(one, rng):
    made, events = one.make(2), one.events(rng)
    feed(one, made, 1, events, 0, len(events) // 2 // one.unit * one.unit, rng)
    return made.state(*of_row(one, 1))


mutations = st.lists(
    st.tuples(st.floats(0, 0.999), st.integers(0, 255) | st.binary(max_size=9)),
    min_size=1,
    max_size=4,
)


def mutated(data, changes):
    """Change bytes, cut some out, or put some in; near the beginning as often as anywhere."""
    for share, change in changes:
        at = int(share**3 * len(data))
        put = bytes([change]) if isinstance(change, int) else change
        data = data[:at] + put + data[at + 1 :]
    return data


@pytest.mark.thorough
@every_class
@given(changes=mutations, cut=st.floats(0, 1))
@settings(max_examples=30)
def test_damage_is_found_and_what_is_made_on_purpose_is_bounded(one, changes, cut):
    data = saved(one, np.random.default_rng(5))
    row = of_row(one, 0)
    for bad in (data[: int(cut * (len(data) - 1))], mutated(data, changes)):
        if bad != data:
            with pytest.raises(StateError, match="damaged or cut off"):
                one.make(2).restore(*row, bad)
    content = mutated(data[4:], changes)
    forged = zlib.crc32(content).to_bytes(4, "little") + content
    made = one.make(2)
    tracemalloc.start()
    with contextlib.suppress(StateError):
        made.restore(*row, forged)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * len(forged) + 100_000
