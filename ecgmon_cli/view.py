"""``ecgmon view``: watch a running monitor."""

import signal
import sys
from typing import Annotated

import typer

from ecgmon_cli.attach import By, attached, user
from ecgmon_cli.where import Key, Monitor, OldEndpoint, where


def view(
    endpoint: OldEndpoint = None,
    monitor: Monitor = None,
    key: Key = None,
    mute: Annotated[bool, typer.Option("--mute", help="Switch the terminal's bell off.")] = False,
    by: By = None,
) -> None:
    """Watch the wearers of a running monitor: their alarms, and the trace of one.

    Give the address of a NATS server to watch a whole fleet, without traces.

    Any number of viewers may connect. ? explains the keys. Alarms that nobody has acknowledged ring
    the terminal's bell: high priority ten times every 10 s, medium three times every 25 s, low
    once. Without a terminal, each event is printed as a line.

    Examples
    --------
      ecgmon view

      ecgmon view --monitor tcp://192.168.1.10:5556 --key nurse.key

      ecgmon view nats://10.0.0.5:4222

      ecgmon view | grep event=alarm
    """
    from ecgmon.wire.viewer_client import topics
    from viewer.terminal import ALL, LINE_KINDS, run_lines, run_watch, usable

    there = where("publish", monitor, key, endpoint)
    screen = usable()
    try:
        with attached(there, ALL if screen else topics(LINE_KINDS)) as viewer:
            if screen:
                run_watch(viewer, title=there.endpoint, by=by or user(), mute=mute)
            else:
                run_lines(viewer, out=sys.stdout, done=lambda: False)
    except KeyboardInterrupt:
        raise typer.Exit(128 + signal.SIGINT) from None
