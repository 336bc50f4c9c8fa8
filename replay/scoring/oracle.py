"""The oracle: whether the monitor raised exactly the alarms that a simulation's truth asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ecgmon.core.constants import RATE
from ecgmon.wire import messages
from replay.simulator.truth import LATCHING, ExpectedAlarm


def mismatches(
    expected: Sequence[ExpectedAlarm], alarms: Sequence[messages.Alarm], end: int
) -> list[str]:
    """Compare the alarms of a simulated stream with its truth.

    Parameters
    ----------
    expected : sequence of ExpectedAlarm
        The truth, in the order of time.
    alarms : sequence of Alarm
        Every transition published, in order.
    end : int
        Number of samples in the stream; what is due after it binds nobody.

    Returns
    -------
    list of str
        One sentence for each difference; empty if there is none.
    """
    raised = _episodes(alarms)
    found = [
        f"{one.kind} was cleared at {_s(one.over)} though nobody had acknowledged it."
        for one in raised
        if one.over is not None and one.kind in LATCHING and not one.was_seen
    ]
    for want in expected:
        matches = [one for one in raised if one.kind == want.kind]
        if not want.sure:
            matches = [one for one in matches if want.after <= one.at <= want.before]
            raised = [one for one in raised if one not in matches]
        elif not matches:
            if want.before <= end:
                found.append(f"{want.kind} was not raised by {_s(want.before)}.")
        else:
            matches = matches[:1]
            raised.remove(matches[0])
        for one in matches:
            found += _differences(want, one, end)
    return [*found, *(f"{one.kind} at {_s(one.at)} is not in the truth." for one in raised)]


@dataclass(slots=True)
class _Episode:
    """From where an alarm was raised to where its condition was over."""

    kind: str
    at: int
    over: int | None = None
    acknowledged: bool = False
    latched: bool = False

    @property
    def was_seen(self) -> bool:
        return self.latched or self.acknowledged


def _episodes(alarms: Sequence[messages.Alarm]) -> list[_Episode]:
    found: list[_Episode] = []
    current: dict[int, _Episode] = {}
    for alarm in alarms:
        if alarm.at is None:
            continue
        if alarm.state == "raised":
            current[alarm.alarm] = _Episode(alarm.kind, alarm.at)
            found.append(current[alarm.alarm])
        elif (one := current.get(alarm.alarm)) is None or one.over is not None:
            continue  # a latched alarm that was acknowledged had been over before
        elif alarm.state == "acknowledged":
            one.acknowledged = True
        else:
            one.over, one.latched = alarm.at, alarm.state == "latched"
    return found


def _differences(want: ExpectedAlarm, one: _Episode, end: int) -> Iterator[str]:
    if not want.after <= one.at <= want.before:
        yield (
            f"{want.kind} was raised at {_s(one.at)}, not from {_s(want.after)} to "
            f"{_s(want.before)}."
        )
    if want.ended is None:
        if one.over is not None:
            yield f"{want.kind} was over at {_s(one.over)} but should go on at the end."
    elif one.over is None:
        if want.ended[1] <= end:
            yield f"{want.kind} was not over by {_s(want.ended[1])}."
    elif not want.ended[0] <= one.over <= want.ended[1]:
        yield (
            f"{want.kind} was over at {_s(one.over)}, not from {_s(want.ended[0])} to "
            f"{_s(want.ended[1])}."
        )


def _s(sample: int) -> str:
    return f"{sample / RATE:.1f} s"
