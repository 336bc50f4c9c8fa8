"""A key that floods the monitor with messages does not hold up the verdicts of others."""

import statistics
import sys
import time

import numpy as np
import pytest

from ecgmon.keys import Device, KeyStore, PrivateKey
from ecgmon.keys.known import this_second
from ecgmon.wire import messages
from tests.support.rig import Listener, Wearable
from tests.support.subprocesses import ECGMON, environment, start
from tests.survival.test_kills import free_endpoints

RATE = 360
LASTS_S = 15
MOST_S = 0.1
"""Seconds by which the verdicts of another key may come later."""
FLOOD = """
import sys, time
from pathlib import Path
import zmq
from ecgmon.keys import PrivateKey
from ecgmon.wire import messages

socket = zmq.Context().socket(zmq.DEALER)
PrivateKey.read(Path(sys.argv[2])).secure(socket)
socket.connect(sys.argv[1])
hello = messages.Hello(wearer="bob", stream=messages.stream_id(8), rate=360.0, leads=["II"])
socket.send(messages.encode(hello))
said = messages.encode(messages.Heartbeat(stream=messages.stream_id(8)))
sent, until = 0, time.monotonic() + float(sys.argv[3])
while time.monotonic() < until:
    socket.send(said)
    sent += 1
    while sent % 100 == 0 and socket.poll(0):
        socket.recv()
print(sent)
"""


def delays(device, listener, first, seconds):
    """Stream in real time; return how late the verdict of each second comes, and the next index."""
    sent, late, began = first, [], time.monotonic()
    due = began - first / RATE
    while time.monotonic() - began < seconds:
        while sent + 36 <= (time.monotonic() - due) * RATE:
            device.send(sent, np.zeros(36))
            sent += 36
        before = len(listener.received)
        listener.take()
        now = time.monotonic()
        late += [
            now - due - (message.first + 1.5 * RATE) / RATE
            for message in listener.received[before:]
            if isinstance(message, messages.Window)
        ]
        time.sleep(0.002)
    return late, sent


@pytest.mark.slow
def test_a_key_that_floods_slows_no_other_by_more_than_a_tenth_of_a_second(
    tmp_path, context, record_property
):
    store = KeyStore(tmp_path / "state" / "keys")
    own, pairs = store.own(), {}
    for name, wearer in (("good", "ann"), ("bad", "bob")):
        pairs[name] = PrivateKey.generate().to(own)
        store.add(Device(name=name, public=pairs[name].public, made=this_second(), wearer=wearer))
    pairs["bad"].create(tmp_path / "bad.key")
    ingest, publish = free_endpoints()
    anywhere = ingest.replace("127.0.0.1", "0.0.0.0")  # noqa: S104 - so that it demands keys
    env = environment(tmp_path / "home", ECGMON_STATE=tmp_path / "state")
    serve = (ECGMON, "serve", "--ingest", anywhere, "--publish", publish)
    with start(*serve, folder=tmp_path / "serve", env=env) as running:
        running.wait_for("event=ready")
        listener = Listener(context, publish, ["window/"]).subscribed()
        device = Wearable(context, ingest, pairs["good"].secure)
        device.greet("ann", 7)
        calm, sent = delays(device, listener, 0, LASTS_S)
        flood = (sys.executable, "-c", FLOOD, ingest, tmp_path / "bad.key", LASTS_S)
        with start(*flood, folder=tmp_path / "flood", env=env) as flooding:
            flooded, sent = delays(device, listener, sent, LASTS_S)
            said = int(flooding.end().out)
        device.finish(sent)
        for client in (listener, device):
            client.socket.close()
        running.end(15)
    more = [pick(flooded) - pick(calm) for pick in (statistics.median, max)]
    figure = f"{said} messages; later by {more[0]:.3f} s (median), {more[1]:.3f} s (longest)"
    record_property("figure", figure)
    assert said > 1000 * LASTS_S, figure
    assert len(flooded) >= LASTS_S - 2
    assert more[0] < MOST_S, figure
    assert max(flooded) < 1, figure
