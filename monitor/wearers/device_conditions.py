"""Alarm conditions of a wearer's device: it is silent, late, or at another rate than declared."""

from ecgmon.wire import messages
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.session import WearerSession


def silent_seconds(session: WearerSession, now: float) -> float:
    """Return for how long a wearer's device has sent nothing new; call it once a second.

    Parameters
    ----------
    session : WearerSession
        The wearer; 0 s if no stream of the wearer's is open or unfinished.
    now : float
        Monotonic time in seconds.
    """
    active = session.active
    if active is None:
        return now - session.unfinished_since if session.unfinished else 0.0
    if active.stream.received != active.last_count:  # repeated samples do not count
        active.last_count, active.last_received = active.stream.received, now
    return now - active.last_received


def device_conditions(
    session: WearerSession, now: float, silent_s: float
) -> list[messages.Published]:
    """Return the alarms of a wearer's device that are raised or cleared at a monotonic time."""
    alarms, limits = session.alarm_messages, session.limits
    published: list[messages.Published] = []
    if active := session.active:
        late = active.stream.clock.lag(now) > limits.lag_s
        # A silent device is not reported as late as well.
        published += alarms.condition("lag", late and silent_s < limits.lag_s)
        wrong = active.stream.delivered.wrong
        if wrong is not None and active.hello.replay is not True:
            text = _wrong_rate(active) if wrong else None
            published += alarms.condition("rate", wrong, text=text)
    return [*published, *alarms.condition("silent", silent_s > limits.silent_s)]


def _wrong_rate(active: ActiveStream) -> str:
    """Return the text of the alarm that a device does not deliver the rate that it declared."""
    rate = active.hello.rate
    return (
        f"the device declares {rate:g} samples a second, but about "
        f"{active.stream.delivered.hz or rate:.0f} come: heart rates and times are wrong "
        "by as much; set its rate right, or check its network"
    )
