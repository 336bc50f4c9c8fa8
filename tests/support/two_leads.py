"""Wearers with two leads, without sockets: what a registry makes of frames of both."""

import numpy as np

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.wire import Frame, messages
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC

SECONDS = 120
HEART = simulate("normal", seed=4, duration_s=SECONDS).record
STOPS = simulate("asystole", seed=3).record
GAIN = HEART.gain
FIRST, SECOND = "II", "V1"


def spoilt(samples, how, start_s, stop_s):
    """Return a lead that is noisy, off or too small to be seen for some seconds."""
    x = samples.astype(np.int32)
    part = slice(start_s * RATE, stop_s * RATE)
    n = len(x[part])
    if how == "noise":
        x[part] += np.random.default_rng(1).normal(0, 1.2 * GAIN, n).astype(np.int32)
    elif how == "off":
        x[part] = NO_VALUE
    elif how == "faded":
        x[part] = np.random.default_rng(2).normal(0, 0.01 * GAIN, n).astype(np.int32)
    return x.astype(np.int16)


def registry(**policy):
    return WearerRegistry(WearerPolicy(**{"resolve": lambda _: GENERIC} | policy))


def open_stream(at, leads=(FIRST, SECOND), wearer="203"):
    hello = messages.Hello(
        wearer=wearer, stream=messages.stream_id(7), rate=360.0, leads=list(leads)
    )
    return at.open(hello, None, 0.0)[0].stream


def frame(first, samples, lead):
    return Frame(7, first, 0, 360_000, GAIN, lead, samples)


def play(at, stream, first, second, *, start=0, sizes=(90,), late=0, stops=None, lost=((), ())):
    """Send both leads, the second some samples behind, and return all that is published.

    Frames have the given sizes in turn; from sample ``stops`` on the second comes no more, and of
    each lead the frames whose numbers are in ``lost`` do not come at all.
    """
    published, sent, now, turn = [], start, start, 0
    while now < len(first):
        end = min(now + sizes[turn % len(sizes)], len(first))
        if turn not in lost[0]:
            stream.accept(frame(now, first[now:end], FIRST), turn / 4)
        stream.expire(turn / 4)
        now = end
        upto = min(now - late if now < len(first) else now, stops or len(second))
        if sent < upto and (other := at.hear(stream, SECOND)):
            if turn not in lost[1]:
                other.accept(frame(sent, second[sent:upto], SECOND), turn / 4)
            other.expire(turn / 4)
            sent = upto
        turn += 1
        published += at.advance(lambda _: False, ripe=True)
    return published + at.advance(lambda _: False)


def windows(published):
    return [one for one in published if isinstance(one, messages.Window)]


def alarms(published, kind=None):
    found = [one for one in published if isinstance(one, messages.Alarm)]
    return [(one.kind, one.state) for one in found if kind in (None, one.kind)]


def judged_leads(published):
    """Return which lead was judged in each second."""
    return [window.lead or FIRST for window in windows(published)]
