"""A viewer in a page: prints a monitor's alarms.

    python viewer.py tcp://127.0.0.1:5556

Needs pyzmq only. docs/wire.md describes what it says and hears.
"""

import argparse
import contextlib
import json
import time
import tomllib
from pathlib import Path

import zmq

ALIVE_S, PATIENCE_S = 2, 10


def main():
    """Print alarms until interrupted."""
    parser = argparse.ArgumentParser(description="Print a monitor's alarms.")
    parser.add_argument("endpoint")
    parser.add_argument("--wearer", default="", help="whose; without it, everybody's")
    parser.add_argument("--key", type=Path, help="key file, for a monitor on another machine")
    given = parser.parse_args()
    topics = [f"alarm/{given.wearer}", f"paused/{given.wearer}"]
    socket = zmq.Context().socket(zmq.DEALER)
    socket.linger = 0
    socket.maxmsgsize = 65536
    socket.sndhwm = 1  # no pile of requests waits for a monitor that is not there
    socket.heartbeat_ivl, socket.heartbeat_timeout = 2000, 6000
    if given.key:
        key = tomllib.loads(given.key.read_text())
        socket.curve_serverkey = key["server"].encode()
        socket.curve_publickey = key["public"].encode()
        socket.curve_secretkey = key["secret"].encode()
    socket.connect(given.endpoint)
    last_message, last_sent = time.monotonic(), -ALIVE_S
    session, seen, lost, again = None, 0, 0, False
    while True:
        now = time.monotonic()
        if now - last_sent >= ALIVE_S and socket.poll(0, zmq.POLLOUT):
            subscribe = {"type": "subscribe", "topics": topics, "session": session}
            socket.send(json.dumps({**subscribe, "lost": lost, "again": again}).encode())
            last_sent, again = now, False
        if now - last_message > PATIENCE_S:
            print("nothing is heard from the monitor", flush=True)
            last_message = now
        if socket.poll(500):
            last_message = time.monotonic()
            message = json.loads(socket.recv())
            if "seq" in message:
                if message["session"] != session:  # a monitor that was started anew, or the first
                    session, seen, lost = message["session"], 0, 0
                if message["seq"] <= seen:
                    continue  # late, over an old connection
                if missed := message["seq"] - seen - 1:
                    print(f"{missed} messages were lost", flush=True)
                    lost, last_sent, again = lost + missed, -ALIVE_S, True  # asks how things stand
                seen = message["seq"]
            show(message)


def show(message):
    """Print an alarm, or what else a person should know."""
    match message["type"]:
        case "alarm":
            when = time.strftime("%H:%M:%S", time.localtime(message["time"]))
            who = message["wearer"] or "the monitor"
            # Printed with !r: what came over the network shall not steer the terminal.
            print(
                f"{when} {who} {message['priority']} {message['kind']} {message['state']} "
                f"alarm={message['alarm']} text={message['text']!r} by={message['by']!r}",
                flush=True,
            )
        case "paused":
            who, until = message["wearer"] or "the monitor", message["until"]
            print(f"{who} {message['kind']} paused until={until} by={message['by']!r}", flush=True)
        case "refused":
            print(f"refused: {message['reason']!r}", flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
