"""One replay: joins the player, the monitor it may start, and the view."""

import contextlib
import getpass
import logging
import logging.handlers
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import zmq

from ecgmon.bundle import Card
from ecgmon.bundle import Model as Bundle
from ecgmon.cli.models import resolve
from ecgmon.cli.summary import summary
from ecgmon.errors import UsageError
from ecgmon.grid import RATE, WINDOW
from ecgmon.records import Record
from ecgmon.wire import messages
from monitor.alerts import AlertRules
from monitor.daemon import Monitor, Settings
from monitor.view import LINE_KINDS, run_lines, run_view, subscribe
from replay.device import Device
from replay.oracle import mismatches
from replay.player import Player
from replay.schedule import Pace
from replay.scoreboard import Played, Scoreboard
from replay.simulated import ExpectedAlert

Context = zmq.Context[zmq.Socket[bytes]]
SUBSCRIBED_MS: Final = 2000
"""Longest wait for the monitor's first word to a new subscriber; nothing is missed after it."""


@dataclass(frozen=True, slots=True)
class Source:
    """What to play, and for a simulation the alerts that must come of it."""

    record: Record
    expected: tuple[ExpectedAlert, ...] | None


@dataclass(frozen=True, slots=True)
class Session:
    """How to play it: the options of ``ecgmon replay``."""

    speed: float
    start_s: int
    duration_s: float | None
    burst_s: float
    connect: str | None
    model: str | None
    score_from_s: int | None
    rules: AlertRules
    journal: Path | None
    view: bool
    out: TextIO
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a monitor listens and where it publishes."""

    ingest: str
    publish: str


class _Worker(threading.Thread):
    """A thread whose exception is raised where it is joined, and told to the others at once."""

    def __init__(self, name: str, work: Callable[[], None], failed: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._failed = failed
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again by finish
            self._error = error
            self._failed.set()

    def finish(self) -> None:
        """Wait for the end; raise what ended it."""
        if self.ident is not None:  # it may never have been started
            self.join()
        if self._error is not None:
            raise self._error


def play(source: Source, session: Session) -> dict[str, Any]:
    """Play a record and return the scoreboard's figures; prints the summary.

    Raises
    ------
    EcgmonError
        Where anything the user asked for cannot be done.
    """
    record = source.record
    first, stop = _range(record, session)
    card = _card(session, record.wearer)
    played = Played(record, first, _score_from(session, card, record))
    device = Device(record, first, stop, Pace(session.speed, session.burst_s))
    board = Scoreboard(played, card, device.available_at)
    interrupted, failed = False, threading.Event()
    with contextlib.ExitStack() as stack:
        context: Context = zmq.Context()
        stack.callback(context.destroy, linger=0)
        if session.view:
            stack.enter_context(_log_held_back())
        endpoint = session.connect or stack.enter_context(_monitor(session, context, failed))
        device.connect(endpoint, context)
        player = Player(device, board, record.wearer, context)
        publish = player.welcome()
        worker = _Worker("player", player.run, failed)
        try:
            _watch(session, source, board, Endpoints(endpoint, publish), context, worker, failed)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            player.stop()
            worker.finish()
    result = board.result(device.sent)
    result["speed"] = "max" if session.speed == float("inf") else session.speed
    result["interrupted"] = interrupted
    if source.expected is not None and first == 0 and board.end is not None:
        result["mismatches"] = mismatches(source.expected, board.alerts, board.end)
    session.out.write(summary(result))
    session.out.flush()
    return result


@contextlib.contextmanager
def _log_held_back() -> Iterator[None]:
    """Keep warnings from the screen while the view has it, and print them after."""
    held = logging.handlers.BufferingHandler(capacity=1000)
    logger = logging.getLogger()
    logger.addHandler(held)
    try:
        yield
    finally:
        logger.removeHandler(held)
        for record in held.buffer:
            sys.stderr.write(f"{record.levelname} {record.name} {record.getMessage()}\n")


@contextlib.contextmanager
def _monitor(session: Session, context: Context, failed: threading.Event) -> Iterator[str]:
    """Run a monitor on loopback sockets; yields its ingest endpoint."""
    with tempfile.TemporaryDirectory(prefix="ecgmon-") as folder:
        settings = Settings(
            journal=session.journal or Path(folder) / "journal.db",
            resolve=lambda wearer: resolve(session.model, wearer),
            rules=session.rules,
        )
        monitor = Monitor(settings, context)
        monitor.start()
        worker = _Worker("monitor", monitor.run, failed)
        worker.start()
        try:
            yield monitor.ingest
        finally:
            monitor.stop()
            worker.finish()


def _watch(
    session: Session,
    source: Source,
    board: Scoreboard,
    endpoints: Endpoints,
    context: Context,
    worker: _Worker,
    failed: threading.Event,
) -> None:
    """Play while the view or plain lines show it; returns when it is over or the user quits."""
    wearer = source.record.wearer

    def done() -> bool:
        return failed.is_set() or not worker.is_alive()

    if not session.view:
        with subscribe(context, endpoints.publish, wearer, LINE_KINDS) as results:
            results.poll(SUBSCRIBED_MS)
            worker.start()
            run_lines(results, wearer=wearer, out=session.out, done=done)
        return
    with (
        subscribe(context, endpoints.publish, wearer) as results,
        context.socket(zmq.DEALER) as desk,
    ):
        results.poll(SUBSCRIBED_MS)
        desk.linger = 500  # a last acknowledgement still leaves
        desk.connect(endpoints.ingest)

        def acknowledge(alert: messages.Alert) -> None:
            by = _user()
            request = messages.Acknowledge(
                wearer=wearer, stream=alert.stream, alert=alert.alert, by=by
            )
            desk.send(messages.encode(request))

        worker.start()
        run_view(
            results,
            wearer=wearer,
            title=source.record.name,
            notice=session.notice,
            score=board.line,
            acknowledge=acknowledge,
            done=done,
        )


def _range(record: Record, session: Session) -> tuple[int, int]:
    """Return the samples to play."""
    n = len(record.samples)
    first = round(session.start_s * record.rate)
    seconds = session.duration_s
    stop = n if seconds is None else min(n, first + round(seconds * record.rate))
    if stop - first < record.rate:
        raise UsageError(
            f"Nothing to play: {record.name} lasts {n / record.rate:.0f} s, and at least one "
            "second of it is needed; check --from and --duration."
        )
    return first, stop


def _card(session: Session, wearer: str) -> Card | None:
    """Return the card of the model that will judge; unknown where another process chooses."""
    return None if session.connect else Bundle.load(resolve(session.model, wearer)).card


def _score_from(session: Session, card: Card | None, record: Record) -> int:
    """Return the first window to score: by default the one after the model's enrolment."""
    if session.score_from_s is not None:
        return session.score_from_s * RATE // WINDOW
    enrolment = card.enrolment if card else None
    return enrolment.stop if enrolment and enrolment.record == record.name else 0


def _user() -> str:
    """Return who sits at the terminal, as well as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as containers have
        return "unknown"
