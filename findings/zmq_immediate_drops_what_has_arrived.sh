#!/usr/bin/env bash
# pyzmq 27.1.0 with the libzmq of its wheel (4.3.5): ZMQ_IMMEDIATE, and ZMQ_RECONNECT_IVL of -1.
# ZMQ_IMMEDIATE is documented for what is sent: queue only to connections that stand. ZMQ_RECONNECT_IVL of -1: do
# not reconnect. Expected: a DEALER reads what arrived before its peer closed, whatever these options are.
# Happens: with either of them all that had arrived and was not read yet is gone once the connection ends, a
# second later as well as at once, without an error. A viewer of alarms that is busy for a moment while a server
# restarts misses the last ones, though TCP had delivered them.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
python3 -m venv venv; venv/bin/python -m pip install --quiet pyzmq==27.1.0 2>/dev/null
venv/bin/python - <<'PY'
import sys
import time

import zmq

SENT = 10


def read_after_the_peer_closed(context, options):
    """Returns how many of the messages sent before a ROUTER closed a DEALER reads afterwards."""
    with context.socket(zmq.ROUTER) as server, context.socket(zmq.DEALER) as client:
        server.linger = 5000
        client.linger = 0
        for option, value in options.items():
            client.set(option, value)
        client.connect(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}")
        client.send(b"hello")
        peer, _ = server.recv_multipart()
        for number in range(SENT):
            server.send_multipart([peer, b"%d" % number])
        time.sleep(0.5)  # all of it has arrived: the first message can be read
        assert client.poll(0, zmq.POLLIN)
        server.close()
        time.sleep(0.5)
        read = 0
        while client.poll(0):
            client.recv()
            read += 1
        return read


cases = {
    "defaults": {},
    "ZMQ_IMMEDIATE 1": {zmq.IMMEDIATE: 1},
    "ZMQ_RECONNECT_IVL -1": {zmq.RECONNECT_IVL: -1},
    "ZMQ_RECONNECT_IVL 60000": {zmq.RECONNECT_IVL: 60_000},
}
print("pyzmq", zmq.pyzmq_version(), "libzmq", zmq.zmq_version())
with zmq.Context() as context:
    read = {name: read_after_the_peer_closed(context, options) for name, options in cases.items()}
for name, count in read.items():
    print(f"{name}: {count} of {SENT} read")
sys.exit(list(read.values()) != [SENT, 0, 0, SENT])
PY
