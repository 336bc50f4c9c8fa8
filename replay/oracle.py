"""The oracle: whether the monitor raised exactly the alerts that a simulation's truth asks for."""

from collections.abc import Sequence

from ecgmon.grid import RATE
from ecgmon.wire import messages
from replay.simtruth import ExpectedAlert


def mismatches(
    expected: Sequence[ExpectedAlert], alerts: Sequence[messages.Alert], end: int
) -> list[str]:
    """Compare the alerts of a simulated stream with its truth.

    Parameters
    ----------
    expected : sequence of ExpectedAlert
        The truth, in the order of time.
    alerts : sequence of Alert
        Every transition published.
    end : int
        Number of samples in the stream; what is due after it binds nobody.

    Returns
    -------
    list of str
        One sentence for each difference; empty if there is none.
    """
    raised = [alert for alert in alerts if alert.state == "raised"]
    cleared = {alert.alert: alert.at for alert in alerts if alert.state == "cleared"}
    found: list[str] = []
    for want in expected:
        match = next((a for a in raised if a.kind == want.kind), None)
        if match is None:
            if want.before <= end:
                found.append(f"{want.kind} was not raised by {_s(want.before)}.")
            continue
        raised.remove(match)
        if not want.after <= match.at <= want.before:
            found.append(
                f"{want.kind} was raised at {_s(match.at)}, not from {_s(want.after)} to "
                f"{_s(want.before)}."
            )
        at = cleared.get(match.alert)
        if want.cleared is None:
            if at is not None:
                found.append(f"{want.kind} was cleared at {_s(at)} but should stand at the end.")
        elif at is None:
            if want.cleared[1] <= end:
                found.append(f"{want.kind} was not cleared by {_s(want.cleared[1])}.")
        elif not want.cleared[0] <= at <= want.cleared[1]:
            found.append(
                f"{want.kind} was cleared at {_s(at)}, not from {_s(want.cleared[0])} to "
                f"{_s(want.cleared[1])}."
            )
    return [*found, *(f"{alert.kind} at {_s(alert.at)} is not in the truth." for alert in raised)]


def _s(sample: int) -> str:
    return f"{sample / RATE:.1f} s"
