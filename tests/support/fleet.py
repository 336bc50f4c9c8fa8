"""Wearers of a fleet: their portions as a gateway publishes them, and what is told of them."""

import contextlib
import os
import sys
from collections import defaultdict
from itertools import zip_longest

import msgspec
import numpy as np

from ecgmon.wire import Frame, messages
from monitor.fleet import names, told
from monitor.fleet.layout import FleetLayout, prepare
from monitor.fleet.link import FleetLink
from monitor.fleet.portions import Portion
from monitor.fleet.reading import ask
from replay.simulator.simulation import simulate
from tests.support.subprocesses import ECGMON, environment, start

RATE = 360
FRAME = 90
LEFT_OUT = (messages.Link, messages.Trace, messages.Event)


def signal_of(scenario, seconds, seed=1):
    """Return counts of a simulated record."""
    return simulate(scenario, duration_s=seconds, seed=seed).record.samples


class FleetWearer:
    """A wearer whose samples are published second by second."""

    def __init__(self, wearer, number, samples):
        self.wearer, self.number, self.samples = wearer, number, samples
        stream = messages.stream_id(number)
        self.hello = messages.Hello(wearer=wearer, stream=stream, rate=float(RATE), leads=["II"])
        self.sent = 0

    def frames(self, first, stop):
        return [
            Frame(
                self.number,
                at,
                0,
                RATE * 1000,
                200.0,
                "II",
                np.asarray(self.samples[at : min(at + FRAME, stop)], dtype=np.int16),
            ).encode()
            for at in range(first, stop, FRAME)
        ]

    @property
    def over(self):
        return self.sent >= len(self.samples)

    def portion(self, seconds=1):
        """Return the next portion; that of the last samples says goodbye."""
        first, stop = self.sent, min(self.sent + seconds * RATE, len(self.samples))
        self.sent = stop
        end = stop if stop == len(self.samples) else None
        return Portion(self.hello, self.frames(first, stop), end)


def publish(link, portion):
    """Publish a portion as a gateway does."""
    header = {"Nats-Msg-Id": portion.id}
    subject = names.incoming(portion.hello.wearer)
    link.run(link.js.publish(subject, portion.encode(), headers=header))


def publish_all(link, wearers, seconds=None):
    """Publish the next seconds of wearers, or all."""
    for _ in range(seconds or 10**6):
        if all(one.over for one in wearers):
            return
        for one in wearers:
            if not one.over:
                publish(link, one.portion())


def told_of(link):
    """Return what the results say of each wearer, in order, without what others say later."""
    found, first = defaultdict(list), 1
    while some := link.run(ask(link, names.RESULTS, names.results("*"), first)):
        first = some[-1].number + 1
        for one in some:
            for message in told.unpacked(one.subject, one.data):
                found[message.wearer].append(message)
    return dict(found)


def comparable(found):
    """Return messages as dicts without clocks, probabilities rounded, each kind in order."""
    rows = []
    for message in found:
        if isinstance(message, LEFT_OUT):
            continue
        fields = {"type": type(message).__name__} | msgspec.structs.asdict(message)
        fields.pop("time", None)
        for name in ("probability", "heart_rate"):
            if fields.get(name) is not None:
                fields[name] = round(fields[name], 3)
        rows.append(fields)
    return rows


def first_difference(found, expected):
    """Return where rows of wearers differ first: wearer, place, and both rows; None if nowhere."""
    for wearer in sorted({*found, *expected}):
        both = zip_longest(found.get(wearer, []), expected.get(wearer, []))
        for place, (one, other) in enumerate(both):
            if one != other:
                return wearer, place, one, other
    return None


def joined(server, name="test", partitions=4):
    """Return a connection to a fleet that is there."""
    link = FleetLink((server.address,), name)
    prepare(link, FleetLayout(partitions=partitions))
    return link


@contextlib.contextmanager
def monitor(folder, server, name, **changes):
    """Run a monitor of a fleet as a process of its own."""
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    env = environment(home, ECGMON_FLEET_NAME=name, ECGMON_STATE=home / "state", **changes)
    endpoint = f"ipc://{home}/publish"
    command = (sys.executable, "-m", "ecgmon_cli") if not ECGMON.exists() else (ECGMON,)
    env["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
    with start(
        *command,
        "serve",
        "--source",
        server.address,
        "--publish",
        endpoint,
        folder=home / "out",
        env=env,
    ) as process:
        process.wait_for("event=ready")
        yield process
