"""Samples that come out of order, twice or never, over real sockets."""

import time

import numpy as np
import pytest

from ecgmon.wire import messages
from replay.simulator.simulation import simulate
from tests.support.rig import assert_same, output_of

RATE = 360
CALM = simulate("normal", duration_s=20).record.samples


def test_what_other_samples_overtook_is_no_gap(rig):
    listener, device = rig.listener(), rig.device()
    device.greet("203", 7)
    for first in (360, 0, 1080, 720):
        device.send(first, CALM[first : first + 360])
    device.until_acked(1440)
    device.finish(1440)
    listener.until(messages.Closed, "203")
    link = listener.all(messages.Link, "203")[-1]
    assert (link.received, link.missing, link.repeated) == (1440, 0, 0)
    assert listener.all(messages.Gap, "203") == []


def test_samples_of_a_ramp_are_counted_once_and_gaps_published(rig):
    listener, device = rig.listener(), rig.device()
    device.greet("203", 7)
    rng = np.random.default_rng(1)
    end = received = repeated = floor = 0  # a gap that stays one: nothing comes late
    gaps = []
    for _ in range(300):
        skip = int(rng.integers(0, 500)) if rng.random() < 0.1 else 0
        back = int(rng.integers(0, 200)) if rng.random() < 0.3 else 0
        first = max(end + skip - back, floor)
        count = int(rng.integers(1, 300))
        device.send(first, np.arange(first, first + count) % 30_000, gain=2e4)
        new = max(first + count - end, 0)
        if new and first > end:
            gaps.append((end, first - end))
            floor = first
            new = count
        received += new
        repeated += count - new
        end = max(end, first + count)
    device.until_acked(end)
    device.finish(end)
    assert listener.until(messages.Closed, "203").end == end
    link = listener.all(messages.Link, "203")[-1]
    assert (link.received, link.repeated) == (received, repeated)
    assert link.missing == end - received == sum(count for _, count in gaps)
    assert [(gap.first, gap.count) for gap in listener.all(messages.Gap, "203")] == gaps
    assert len(gaps) > 10


def test_the_same_signal_says_the_same_however_it_is_cut(rig):
    """Also across gaps, with many in one tick: the monitor's time is the stream's."""
    record = simulate("gaps", duration_s=30).record
    rng = np.random.default_rng(2)
    delivered = np.ones(len(record.samples), dtype=bool)
    for start in rng.integers(2000, 9000, 300):  # every second is hit, some badly
        delivered[start : start + rng.choice([4, 4, 4, 80])] = False
    bounds = np.flatnonzero(np.diff(delivered.astype(int), prepend=0, append=0))
    runs = bounds.reshape(-1, 2).tolist()
    assert len(runs) > 110
    listener = rig.listener()
    for wearer, size in (("coarse", 4000), ("fine", 7)):
        device = rig.device()
        device.greet(wearer, size)
        for start, stop in runs:
            device.send_all(record.samples[start:stop], first=start, size=size)
            if size == 7:
                time.sleep(0.003)  # over many ticks
        device.finish(runs[-1][1])
        listener.until_over(wearer)
    coarse, fine = (output_of(listener.received, wearer) for wearer in ("coarse", "fine"))
    assert_same(coarse, fine)
    assert [m["first"] for m in coarse if m["type"] == "Window"] == list(range(0, 29 * 360, 360))


def test_a_stream_full_of_gaps_is_not_passed_over_in_silence(rig):
    """No second of it is complete, but each is published, and the alarm is raised."""
    listener, device = rig.listener(), rig.device()
    device.greet("203", 7)
    for second in range(10):
        device.send(second * RATE, CALM[:100])
        device.send(second * RATE + 300, CALM[300:320])
    device.until_acked(9 * RATE + 320)
    alarm = listener.until(messages.Alarm, "203")
    assert (alarm.kind, alarm.at) == ("no-signal", 2 * RATE)
    listener.until(messages.Window, "203", first=8 * RATE)
    assert {w.state for w in listener.all(messages.Window, "203")} == {"absent"}
    assert len(listener.all(messages.Window, "203")) == 9


@pytest.mark.parametrize("jump", [10**6, 2**40, 2**59])
def test_a_huge_jump_is_reported_completely_and_costs_a_bounded_amount(rig, jump):
    listener, device = rig.listener(), rig.device()
    device.greet("203", 7)
    device.send_all(CALM[:720])
    device.send_all(CALM[:1080], first=jump)
    device.until_acked(jump + 1080)
    device.finish(jump + 1080)
    assert listener.until(messages.Closed, "203").end == jump + 1080
    (gap,) = listener.all(messages.Gap, "203")
    assert (gap.first, gap.count) == (720, jump - 720)
    assert len(listener.all(messages.Window, "203")) < 700
    assert {a.kind for a in listener.all(messages.Alarm, "203")} == {"no-signal"}
