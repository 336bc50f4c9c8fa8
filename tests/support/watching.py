"""Messages of a wearer as a monitor publishes them."""

import time

from ecgmon.wire import messages

STREAM = "00000000000000aa"


def opened(wearer):
    return messages.Opened(
        wearer=wearer,
        stream=STREAM,
        lead="MLII",
        rate=360.0,
        model="generic",
        threshold=0.5,
        look_ahead_s=0.5,
    )


def window(wearer, heart_rate, state="signal"):
    return messages.Window(
        wearer=wearer,
        stream=STREAM,
        first=360,
        state=state,
        probability=0.1,
        abnormal=False,
        heart_rate=heart_rate,
        model="generic",
    )


def link(wearer, **given):
    fields = {"received": 720, "missing": 0, "repeated": 0, "lag_s": 0.25}
    return messages.Link(wearer=wearer, stream=STREAM, **(fields | given))


def alarm(wearer, number, kind="abnormal", priority="medium", state="raised", **given):
    fields = {"stream": STREAM, "at": 360, "time": time.time(), "text": f"{kind} it is"}
    ids = {"wearer": wearer, "alarm": number, "kind": kind, "priority": priority}
    return messages.Alarm(**ids, category="physiological", state=state, **(fields | given))
