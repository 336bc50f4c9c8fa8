"""What the ward makes of samples, without sockets."""

from dataclasses import replace

import numpy as np
import pytest

from ecgmon.wire import Frame, messages
from monitor.alerts import AlertRules
from monitor.ward import Ward
from replay.schedule import Pace, schedule
from replay.simulated import simulate
from tests.monitor.rig import GENERIC

RATE = 360


def opened(ward, wearer, number=7):
    hello = messages.Hello(wearer=wearer, stream=messages.stream_id(number), rate=360.0, lead="II")
    return ward.open(hello)[0]


def take(stream, record):
    for part in schedule(record, 0, len(record.samples), Pace(float("inf"))):
        frame = Frame(stream.number, part.first, 0, 360_000, record.gain, "II", part.samples)
        stream.accept(frame, arrival=0.0)


@pytest.fixture
def ward():
    return Ward(lambda _: GENERIC, AlertRules())


def test_traces_are_made_for_wanted_wearers_alone(ward):
    record = simulate("normal", duration_s=3).record
    for number, wearer in enumerate(("203", "119")):
        take(opened(ward, wearer, number), record)
    traces = [
        m for m in ward.advance(lambda wearer: wearer == "203") if isinstance(m, messages.Trace)
    ]
    assert [trace.wearer for trace in traces] == ["203"]
    ward = Ward(lambda _: GENERIC, AlertRules())
    take(opened(ward, "203"), record)
    assert not [m for m in ward.advance(lambda _: False) if isinstance(m, messages.Trace)]


@pytest.mark.parametrize("scenario", ["noise", "lead-off", "gaps"])
def test_what_is_no_signal_is_not_judged_and_what_is_judged_has_its_reason(ward, scenario):
    take(opened(ward, "203"), simulate(scenario, seed=2).record)
    windows = [m for m in ward.advance(lambda _: False) if isinstance(m, messages.Window)]
    threshold = ward.snapshot()[0].threshold
    for window in windows:
        assert (window.probability is None) == (window.abnormal is None)
        if window.state != "signal":
            assert window.probability is None
        if window.abnormal is not None:
            assert window.abnormal == (window.probability >= threshold)
            assert 0 <= window.probability <= 1
        assert window.heart_rate is None or 30 < window.heart_rate < 250
    assert [window.first for window in windows] == [i * RATE for i in range(len(windows))]
    judged = [window.abnormal is not None for window in windows]
    assert 20 < np.sum(judged) < len(judged)


def test_a_gap_in_asystole_does_not_hide_that_the_heart_beats_again(ward):
    simulation = simulate("asystole", seed=3)
    (expected,) = simulation.expected
    for lost_s in (36, 39.5, 41.9):  # the alert stands since 34 s, the heart beats from 42 s on
        gap = (round(lost_s * RATE), round((lost_s + 0.3) * RATE))
        take(opened(ward, "203", gap[0]), replace(simulation.record, missing=(gap,)))
        alerts = [m for m in ward.advance(lambda _: False) if isinstance(m, messages.Alert)]
        assert [(m.kind, m.state) for m in alerts] == [
            ("asystole", "raised"),
            ("asystole", "cleared"),
        ]
        assert expected.cleared[0] <= alerts[1].at <= expected.cleared[1]


def test_a_stream_that_is_not_open_any_more_cannot_be_closed(ward):
    old = opened(ward, "203", 7)
    new = opened(ward, "203", 8)
    assert ward.close(old) == []
    assert ward.streams == [new]
    assert [type(message) for message in ward.close(new)] == [messages.Link, messages.Closed]
    assert ward.close(new) == []
