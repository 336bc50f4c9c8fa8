"""Many wearers at once: a load for a monitor, told in plain lines."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, TextIO

import zmq

from ecgmon.core.errors import UsageError
from ecgmon.wire.device_client import Context
from ecgmon_cli.replay_session import (
    PlayedSource,
    Session,
    build_device,
    speed_name,
    write_annotations,
)
from ecgmon_cli.worker import Worker
from replay.player.player import PlayedDevice, Player

REPORT_S: Final = 5.0
"""How often it is said how they are doing."""
TOTALS: Final = (
    "samples_sent",
    "samples_acknowledged",
    "samples_resent",
    "samples_dropped",
    "reconnects",
    "windows",
    "gaps",
)

Result = dict[str, Any]


def play_all(sources: Sequence[PlayedSource], session: Session) -> Result:
    """Play many records to a monitor that runs elsewhere, and return all their figures.

    Raises
    ------
    EcgmonError
        If none of them can be played.
    """
    shared = [wearer for wearer, n in Counter(s.record.wearer for s in sources).items() if n > 1]
    if shared:
        raise UsageError(
            f"{', '.join(shared)} would be sent twice, and a monitor accepts one device for each "
            "wearer: name each record once."
        )
    parts = [build_device(source, session) for source in sources]
    interrupted, failed = False, threading.Event()
    with contextlib.ExitStack() as stack:
        context: Context = zmq.Context()
        stack.callback(context.destroy, linger=0)
        player = Player(parts, context, session.secure)
        stack.callback(player.close)
        for part in parts:
            part.device.connect(session.connect or "", context, session.secure)
        player.welcome()
        worker = Worker("player", player.run, failed)
        worker.start()
        try:
            _report(parts, worker, session.out)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            player.stop()
            worker.finish()
    for part, source in zip(parts, sources, strict=True):
        if part.error is None and not interrupted:
            write_annotations(part, source, session)
    wearers = [_figures(part) | {"totals": part.board.beat_totals()} for part in parts]
    result = {
        "speed": speed_name(session),
        "interrupted": interrupted,
        "failed": sum(part.error is not None for part in parts),
        **_totals(wearers),
        "wearers": wearers,
    }
    session.out.write(_summary(result))
    session.out.flush()
    return result


def _report(parts: Sequence[PlayedDevice], worker: Worker, out: TextIO) -> None:
    """Say every few seconds how they are doing, until it is over."""
    began = time.monotonic()
    while worker.is_alive():
        worker.join(REPORT_S)
        figures = _totals(_figures(part) for part in parts)
        out.write(f"{time.monotonic() - began:6.0f} s  {_line(figures)}\n")
        out.flush()


def _figures(part: PlayedDevice) -> Result:
    """Return what became of one wearer."""
    result = part.board.result(part.device.sent) | part.device.figures()
    return result | {"error": None if part.error is None else str(part.error)}


def _totals(wearers: Iterable[Result]) -> Result:
    totals: Counter[str] = Counter(dict.fromkeys(TOTALS, 0))
    for wearer in wearers:
        totals.update({name: wearer[name] for name in TOTALS})
    return dict(totals)


def _line(figures: Result) -> str:
    return (
        f"{figures['samples_sent']:,} samples sent, "
        f"{figures['samples_acknowledged']:,} acknowledged, "
        f"{figures['samples_resent']:,} sent again, {figures['samples_dropped']:,} dropped; "
        f"{figures['reconnects']} reconnects; {figures['windows']:,} windows and "
        f"{figures['gaps']} gaps heard of"
    )


def _summary(result: Result) -> str:
    failed = [w for w in result["wearers"] if w["error"] is not None]
    rows = [f"{len(result['wearers'])} wearers, speed {result['speed']}: {_line(result)}"]
    rows += [f"{wearer['patient']} failed: {wearer['error']}" for wearer in failed]
    return "".join(f"{row}\n" for row in rows)
