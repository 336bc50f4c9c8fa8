import math

import numpy as np
import pytest

from ecgmon.wire import messages
from viewer.model.wearer import ViewState
from viewer.terminal.render import Caption, render

RATE = 360
NOON = 1_700_000_000.0
"""When the streams of tests began."""


class Monitor:
    """Makes the messages that a monitor publishes of one wearer and stream."""

    def __init__(self, wearer="203", stream="00000000000000aa"):
        self.ids = {"wearer": wearer, "stream": stream}

    def opened(self, **given):
        fields = {
            "lead": "MLII",
            "rate": 360.0,
            "model": "generic",
            "threshold": 0.5,
            "look_ahead_s": 0.5,
        }
        return messages.Opened(**self.ids, **(fields | given))

    def swap(self, first, refused=None, model="203-2", threshold=0.4):
        return messages.Swap(
            **self.ids, first=first, refused=refused, model=model, threshold=threshold
        )

    def closed(self, end):
        return messages.Closed(**self.ids, end=end)

    def trace(self, first, samples):
        data = np.asarray(samples).astype("<i2").tobytes()
        return messages.Trace(**self.ids, first=first, samples=data)

    def window(self, second, state="signal", probability=0.1, **given):
        judged = state == "signal" and probability is not None
        fields = {
            "first": second * RATE,
            "state": state,
            "probability": probability if judged else None,
            "abnormal": probability >= 0.5 if judged else None,
            "heart_rate": 72.0 if state == "signal" else None,
            "model": "generic",
        }
        return messages.Window(**self.ids, **(fields | given))

    def beat(self, at, label="N"):
        return messages.Beat(**self.ids, at=at, label=label, probability=0.9)

    def withdrawn(self, at):
        return messages.BeatWithdrawn(**self.ids, at=at)

    def gap(self, first, count):
        return messages.Gap(**self.ids, first=first, count=count)

    def alarm(self, alarm, state="raised", at=0, **given):
        fields = {
            "kind": "asystole",
            "priority": "high",
            "category": "physiological",
            "time": NOON + (at or 0) / RATE,
            "text": "no beat for 4 seconds",
        }
        return messages.Alarm(**self.ids, alarm=alarm, state=state, at=at, **(fields | given))

    def paused(self, kind, until, time=0.0):
        return messages.Paused(wearer=self.ids["wearer"], kind=kind, until=until, time=time)

    def link(self, lag_s=0.1, **given):
        fields = {"received": 1000, "missing": 0, "repeated": 0}
        return messages.Link(**self.ids, lag_s=lag_s, **(fields | given))

    def seconds(self, first, count, millivolts=1.0):
        """Return seconds of a beat-like wave, each with its window."""
        wave = np.zeros(RATE)
        wave[170:190] = 1000 * millivolts * np.sin(np.linspace(0, math.pi, 20))
        for second in range(first, first + count):
            yield self.trace(second * RATE, wave)
            yield self.window(second)


@pytest.fixture(scope="session")
def monitor():
    return Monitor()


@pytest.fixture(scope="session")
def other_stream():
    return Monitor(stream="00000000000000bb")


@pytest.fixture(scope="session")
def fold():
    def fold(published, wearer="203", now=0.0):
        state = ViewState(wearer, now)
        for message in published:
            state.apply(message, now)
        return state

    return fold


@pytest.fixture(scope="session")
def text():
    def text(state, width=120, height=40, caption=Caption()):  # noqa: B008 - it is frozen
        """Return the picture without colour, row by row."""
        return rows(render(state, caption, width, height))

    return text


def rows(canvas):
    return ["".join(segment.text for segment in line) for line in canvas.lines()]


@pytest.fixture(scope="session")
def own():
    """An alarm of the monitor itself."""

    def own(number=1, state="raised", **given):
        fields = {
            "kind": "disk",
            "priority": "medium",
            "category": "technical",
            "time": NOON,
            "text": "the disk is full",
        }
        ids = {"wearer": None, "stream": None, "at": None}
        return messages.Alarm(**ids, alarm=number, state=state, **(fields | given))

    return own
