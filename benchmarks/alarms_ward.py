"""A monitor in a process of its own, and wearers who play to it through its sockets."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import zmq

from ecgmon.records import Record
from ecgmon.wire import messages
from replay.player.device import RecordDevice
from replay.player.player import PlayedDevice, Player
from replay.player.schedule import FRAME_S, Pace
from replay.scoring.scoreboard import Played, Scoreboard

ROOT: Final = Path(__file__).resolve().parents[1]
FULL_SPEED: Final = Pace(speed=float("inf"))


class Board(Scoreboard):
    """Keeps what was published of a wearer.

    Attributes
    ----------
    raised : list of (Alarm, float)
        Alarms and the monotonic times at which they arrived.
    states : dict of int to str
        Signal states by the second's first sample.
    began : float or None
        Monotonic time at which the record's first sample was measured.
    """

    def __init__(self, record: Record, device: RecordDevice, pace: Pace) -> None:
        super().__init__(Played(record, 0, 0), None, device.available_at)
        self._device, self._pace = device, pace
        self.began: float | None = None
        self.raised: list[tuple[messages.Alarm, float]] = []
        self.states: dict[int, str] = {}

    def take(self, message: messages.Published, arrival: float) -> None:
        """Count a message that arrived at monotonic time ``arrival``."""
        due = self._device.available_at(0) if self.began is None else None
        if due is not None:  # asked before the device forgets it
            self.began = due - self._pace.due(FRAME_S)
        super().take(message, arrival)
        if isinstance(message, messages.Window):
            self.states[message.first] = message.state
        elif isinstance(message, messages.Alarm) and message.state == "raised":
            self.raised.append((message, arrival))


BoardT = TypeVar("BoardT", bound=Board)


@contextlib.contextmanager
def monitor(*options: str, prepare: Callable[[Path], None] = lambda _state: None) -> Iterator[str]:
    """Run ``ecgmon serve`` with these options; yields its ingest endpoint.

    ``prepare`` is called with its folder of state before it starts.
    """
    with tempfile.TemporaryDirectory(prefix="ecgmon-alarms-") as state:
        prepare(Path(state))
        ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        ingest, publish = (f"tcp://127.0.0.1:{one.getsockname()[1]}" for one in ports)
        for one in ports:
            one.close()
        command = [sys.executable, "-c", "from ecgmon_cli import main; main()", "serve"]
        command += ["--ingest", ingest, "--publish", publish, *options]
        environment = os.environ | {
            "ECGMON_STATE": state,
            "ECGMON_NETWORK_METRICS": "",
            "PYTHONPATH": str(ROOT),
        }
        with (
            (Path(state) / "log").open("w") as log,
            subprocess.Popen(command, env=environment, stderr=log) as process,  # noqa: S603 - ours
        ):
            try:
                yield ingest
            finally:
                process.terminate()


def play(
    records: Sequence[Record],
    paces: Sequence[Pace],
    endpoint: str,
    board: type[BoardT] = Board,
    seconds: Sequence[Record | None] = (),
) -> list[BoardT]:
    """Let wearers play at once, some with a second lead; return what was published of each."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    parts: list[PlayedDevice] = []
    boards: list[BoardT] = []
    beside = seconds or [None] * len(records)
    for record, pace, second in zip(records, paces, beside, strict=True):
        device = RecordDevice(record, 0, len(record.samples), pace, second=second)
        device.connect(endpoint, context)
        boards.append(board(record, device, pace))
        parts.append(PlayedDevice(record.wearer, device, boards[-1]))
    player = Player(parts, context)
    try:
        player.welcome()
        player.run()
    finally:
        player.close()
        context.destroy(linger=0)
    failed = [part for part in parts if part.error or part.board.end is None]
    if failed:
        raise RuntimeError(f"{failed[0].wearer} was not watched to the end: {failed[0].error}")
    return boards
