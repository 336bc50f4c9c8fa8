"""Connections that are cut, and frames that a radio repeats, swaps and delays: nothing is lost."""

import time

import numpy as np
import pytest

from ecgmon.core.constants import NO_VALUE
from ecgmon.records.captured import reader as captured
from ecgmon.records.captured.reader import captures
from ecgmon.wire import messages
from tests.support.proxy import Proxy
from tests.support.rig import Rig
from tests.support.unruly import unruly
from tests.survival.conftest import Playing, ramp

SPEED = 20
"""Times real time: two minutes of wear in six seconds."""
SAMPLES = 9000
"""Of the stream for each cut: more than are sent from one to the next."""


def assert_complete(folder, wearer, stream, samples):
    """Every sample of a stream is on disk, once and in its place."""
    held = [record for record in captures(folder, wearer) if record.stream == stream]
    assert sum(record.length for record in held) == len(samples)
    found = captured.read(folder, wearer, stream, 0, len(samples)).samples
    np.testing.assert_array_equal(found, samples)


@pytest.mark.thorough
@pytest.mark.parametrize("cuts", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_a_stream_that_is_cut_again_and_again_loses_no_sample(tmp_path, context, chance, cuts):
    folder = tmp_path / "captured"
    with Rig(tmp_path / "rig", captured=folder) as rig, Proxy(rig.monitor.ingest) as network:
        listener = rig.listener("gap/ann", "closed/ann", "window/ann")
        record = ramp(cuts * SAMPLES)
        playing = Playing(context, record, network.endpoint, SPEED)
        device, made, cut_at = playing.device, 0, None

        def cut():
            nonlocal made, cut_at
            listener.take()
            if device.publish is None or device.reconnects < made or made == cuts:
                return  # there is nothing to cut
            now = time.monotonic()
            if cut_at is None:
                cut_at = now + chance.uniform(0, 0.5)
            elif now >= cut_at:
                network.cut()
                made, cut_at = made + 1, None

        playing.to_the_end(cut)
        figures = device.figures()
        assert made == cuts
        closed = listener.until(messages.Closed, "ann")
        assert closed.end == len(record.samples)
        assert not listener.all(messages.Gap, "ann")
        firsts = [window.first for window in listener.all(messages.Window, "ann")]
        assert firsts == list(range(0, firsts[-1] + 1, 360))
    assert figures["samples_sent"] == figures["samples_acknowledged"] == len(record.samples)
    assert figures["reconnects"] >= cuts
    assert_complete(folder, "ann", playing.device.stream, record.samples)


def test_frames_repeated_swapped_and_delayed_are_put_in_order(tmp_path):
    folder, samples = tmp_path / "captured", ramp(30_000).samples
    with Rig(tmp_path / "rig", captured=folder) as rig:
        listener, device = rig.listener("gap/ann", "link/ann"), rig.device()
        device.greet("ann", 7)
        frames = [(at, samples[at : at + 36]) for at in range(0, len(samples), 36)]
        arrivals = unruly(frames, seed=5, share=0.3)
        assert arrivals != frames
        for first, part in arrivals:
            device.send(first, part)
        device.until_acked(len(samples))
        assert not listener.drain() or not listener.all(messages.Gap, "ann")
        device.finish(len(samples))
    assert_complete(folder, "ann", messages.stream_id(7), samples)


def test_what_never_comes_is_in_a_gap_and_all_else_on_disk(tmp_path, chance):
    folder, samples = tmp_path / "captured", ramp(30_000).samples
    frames = [(at, samples[at : at + 100]) for at in range(0, len(samples), 100)]
    lost = sorted(chance.sample(range(1, len(frames) - 1), 12))
    with Rig(tmp_path / "rig", captured=folder) as rig:
        listener, device = rig.listener("gap/ann", "closed/ann"), rig.device()
        device.greet("ann", 7)
        for first, part in unruly([f for i, f in enumerate(frames) if i not in lost], seed=6):
            device.send(first, part)
        device.finish(len(samples))
        listener.until(messages.Closed, "ann")
        gaps = [(gap.first, gap.count) for gap in listener.all(messages.Gap, "ann")]
    missing = {index for first, count in gaps for index in range(first, first + count)}
    assert missing == {100 * number + i for number in lost for i in range(100)}
    found = captured.read(folder, "ann", messages.stream_id(7), 0, len(samples)).samples
    expected = samples.copy()
    expected[sorted(missing)] = NO_VALUE
    np.testing.assert_array_equal(found, expected)


def test_a_device_that_restarts_counts_anew_and_the_old_stream_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr("monitor.wearers.registry.TAKEOVER_S", 0.3)
    folder = tmp_path / "captured"
    with Rig(tmp_path / "rig", captured=folder) as rig:
        listener, before, after = rig.listener(), rig.device(), rig.device()
        before.greet("ann", 7)
        before.send_all(ramp(1000).samples)
        before.until_acked(1000)
        after.hello("ann", 8)
        refused = after.hear()
        assert (type(refused), refused.retry_s) == (messages.Refused, 0.3)
        deadline = time.monotonic() + 5
        while isinstance(refused, messages.Refused):
            assert time.monotonic() < deadline
            time.sleep(0.1)
            after.hello("ann", 8)
            refused = after.hear()
        assert refused.next == 0
        after.send_all(ramp(500).samples)
        after.finish(500)
        first = listener.until(messages.Closed, "ann", stream=messages.stream_id(7))
        assert first.end == 1000
        before.send(1000, [1, 2, 3])
        before.is_refused("say hello first")
    assert_complete(folder, "ann", messages.stream_id(7), ramp(1000).samples)
    assert_complete(folder, "ann", messages.stream_id(8), ramp(500).samples)
