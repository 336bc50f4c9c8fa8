"""docs/wire.md describes every message and frame."""

import itertools
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from ecgmon.core.alarm_kinds import AlarmState, Category, Priority
from ecgmon.core.signal_states import Reason, SignalState
from ecgmon.wire import MAX_SAMPLES, Frame, messages
from monitor.alarms.kinds import KINDS as KINDS_OF_ALARMS

PAGE = (Path(__file__).parents[3] / "docs/wire.md").read_text()
ROWS = dict(re.findall(r"^\|(?: \w+ \|)? `([a-z-]+)` (\|.*\|)$", PAGE, re.MULTILINE))
"""Table row of each message by its type, which is in the first or the second column."""
FRAME = bytes.fromhex("".join(re.findall(r"^ {4}((?:[0-9a-f]{8} ?)+)$", PAGE, re.MULTILINE)))
KINDS = get_args(messages.FromDevice | messages.ToDevice | messages.FromViewer | messages.ToViewer)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_message_has_a_row_that_names_its_fields(kind):
    row = ROWS[kind.__struct_config__.tag]
    fields = {field.encode_name for field in msgspec.structs.fields(kind)} - {"v"}
    if kind in get_args(messages.Published):
        fields -= {"wearer", "stream"}  # named once for all
    assert fields <= set(re.findall(r"`([a-z_]+)`", row))


@pytest.mark.parametrize(
    "words",
    [
        SignalState,
        Reason,
        AlarmState,
        Priority,
        Category,
    ],
)
def test_every_word_that_a_field_may_hold_is_there(words):
    assert all(re.search(rf"`{word}`|\| {word}\b", PAGE) for word in get_args(words))


@pytest.mark.parametrize("kind", KINDS_OF_ALARMS)
def test_every_kind_of_alarm_has_a_row_that_says_how_bad_it_is(kind):
    (row,) = re.findall(rf"^\|[^|]*`{kind}`[^|]*\|.*\|$", PAGE, re.MULTILINE)
    known = KINDS_OF_ALARMS[kind]
    latching = ", latching" if known.latching else ""
    assert f"| {known.priority}{latching} | {known.category} |" in row


def test_the_example_frame_is_one_and_holds_what_the_page_says():
    frame = Frame.decode(FRAME)
    assert (frame.stream, frame.first, frame.device_time) == (1, 360, 0)
    assert (frame.rate_mhz, frame.gain, frame.lead) == (360_000, 200.0, "I")
    assert frame.samples.tolist() == [-1, 256]


def test_the_frames_table_has_no_hole():
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\w+) \|", PAGE, re.MULTILINE)
    sizes = [int(size) for _, size, _ in rows]
    assert [int(at) for at, _, _ in rows] == list(itertools.accumulate(sizes, initial=0))[:-1]
    kinds = {"u8": 1, "u16": 2, "u32": 4, "f32": 4, "u64": 8, "i64": 8}
    assert all(
        kinds.get(kind, size) == size for size, (_, _, kind) in zip(sizes, rows, strict=True)
    )
    assert sum(sizes) == len(FRAME) - 2 * 2 - 4


@pytest.mark.parametrize("number", [messages.MAX_BYTES, MAX_SAMPLES, messages.MAX_PAUSE_S])
def test_the_limits_are_the_ones_in_force(number):
    assert f"{number:,}" in PAGE
