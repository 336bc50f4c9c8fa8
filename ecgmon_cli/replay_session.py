"""One replay: joins the player, the monitor it may start, and the view."""

import contextlib
import logging
import logging.handlers
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import zmq

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.errors import UsageError
from ecgmon.models.bundle import Model as Bundle
from ecgmon.models.card import Card
from ecgmon.models.resolve import atrial_of, beats_of, of_record, of_replay, rhythms_of
from ecgmon.records import Record
from ecgmon.wire import messages
from ecgmon.wire.device_client import Context, Secure, plain
from ecgmon.wire.viewer_client import KINDS, ViewerClient, topics
from ecgmon_cli.attach import user
from ecgmon_cli.summary import summary
from ecgmon_cli.worker import Worker
from monitor.daemon import Monitor
from monitor.settings import MonitorSettings
from monitor.wearers.policy import WearerPolicy
from replay.player.device import RecordDevice
from replay.player.player import PlayedDevice, Player
from replay.player.resampled import at_rate
from replay.player.schedule import Pace
from replay.scoring.annotations import ANNOTATOR, PublishedAnnotations
from replay.scoring.oracle import mismatches
from replay.scoring.scoreboard import Played, Scoreboard
from replay.simulator.simulation import ExpectedAlarm
from viewer.terminal import LINE_KINDS, run_lines, run_view

ENDLESS: Final = 2**60
"""Samples of what starts over and over: more than anybody sends, and less than a stream holds."""
SUBSCRIBED_S: Final = 2.0
"""Longest wait for the monitor's first word to a new viewer."""


@dataclass(frozen=True, slots=True)
class PlayedSource:
    """What to play and how: which alarms must come of a simulation, and whether it starts over."""

    record: Record
    expected: tuple[ExpectedAlarm, ...] | None = None
    endless: bool = False
    second: Record | None = None


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
    limits: AlarmLimits
    journal: Path | None
    view: bool
    out: TextIO
    rate: float | None = None
    patience_s: float = 60.0
    secure: Secure = plain
    notice: str | None = None
    beat_model: Path | None = None
    annotations: Path | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a monitor listens and where it publishes."""

    ingest: str
    publish: str


def play(source: PlayedSource, session: Session) -> dict[str, Any]:
    """Play a record and return the scoreboard's figures; prints the summary.

    Raises
    ------
    EcgmonError
        Where anything the user asked for cannot be done.
    """
    part = build_device(source, session)
    device, board = part.device, part.board
    interrupted, failed = False, threading.Event()
    with contextlib.ExitStack() as stack:
        context: Context = zmq.Context()
        stack.callback(context.destroy, linger=0)
        if session.view:
            stack.enter_context(_log_held_back())
        endpoint = session.connect or stack.enter_context(
            _monitor(session, source.record, context, failed)
        )
        device.connect(endpoint, context, session.secure)
        player = Player([part], context, session.secure)
        stack.callback(player.close)
        publish = player.welcome()
        worker = Worker("player", player.run, failed)
        try:
            _watch(session, source, board, Endpoints(endpoint, publish), context, worker, failed)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            player.stop()
            worker.finish()
    if not interrupted:
        write_annotations(part, source, session)
    result = board.result(device.sent) | device.figures()
    result["speed"] = speed_name(session)
    result["interrupted"] = interrupted
    if source.expected is not None and not session.start_s and board.end is not None:
        result["mismatches"] = mismatches(source.expected, board.alarms, board.end)
    result["totals"] = board.beat_totals()
    session.out.write(summary(result))
    session.out.flush()
    return result


def build_device(source: PlayedSource, session: Session) -> PlayedDevice:
    """Return a device that plays a record, and the board that scores what comes of it.

    Raises
    ------
    UsageError
        If there is nothing to play, or not at this rate.
    """
    record = source.record
    sent = at_rate(record, session.rate or record.rate)
    first, stop = _range(sent, session, endless=source.endless)
    fitted = None if session.connect else of_record(record)
    # With a monitor elsewhere, that one chooses.
    bundle = None if session.connect else of_replay(session.model, record.wearer, fitted)
    pace, second = Pace(session.speed, session.burst_s), source.second
    second = second and at_rate(second, sent.rate)
    device = RecordDevice(sent, first, stop, pace, session.patience_s, second)
    # What the monitor says counts samples at its own rate, from where the stream began.
    card = Bundle.load(bundle).card if bundle else None
    fits = bundle is not None and bundle == fitted
    played = Played(
        at_rate(record, RATE),
        round(session.start_s * RATE),
        _score_from(session, card, record, fits=fits),
    )
    board = Scoreboard(played, card, device.available_at)
    annotations = None if session.annotations is None else PublishedAnnotations()
    return PlayedDevice(record.wearer, device, board, annotations)


def write_annotations(part: PlayedDevice, source: PlayedSource, session: Session) -> None:
    """Write what was published of a wearer as annotations, if that was asked for and is complete.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    if session.annotations is None or part.annotations is None or part.board.end is None:
        return
    path = session.annotations / f"{part.wearer}.{ANNOTATOR}"
    rate = source.record.rate
    try:
        part.annotations.write(path, rate, round(session.start_s * rate))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def speed_name(session: Session) -> str | float:
    """Return the speed as ``--json`` documents it."""
    return "max" if session.speed == float("inf") else session.speed


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
def _monitor(
    session: Session, record: Record, context: Context, failed: threading.Event
) -> Iterator[str]:
    """Run a monitor of a record on loopback sockets; yields its ingest endpoint."""
    fitted = of_record(record)
    with tempfile.TemporaryDirectory(prefix="ecgmon-") as folder:
        settings = MonitorSettings(
            journal=session.journal or Path(folder) / "journal.db",
            policy=WearerPolicy(
                resolve=lambda wearer: of_replay(session.model, wearer or "", fitted),
                limits=lambda _: session.limits,
                resolve_beats=lambda wearer: session.beat_model or beats_of(wearer),
                resolve_rhythms=rhythms_of,
                resolve_atrial=atrial_of,
            ),
        )
        monitor = Monitor(settings, context)
        monitor.start()
        worker = Worker("monitor", monitor.run, failed)
        worker.start()
        try:
            yield monitor.ingest
        finally:
            monitor.stop()
            worker.finish()


def _watch(
    session: Session,
    source: PlayedSource,
    board: Scoreboard,
    endpoints: Endpoints,
    context: Context,
    worker: Worker,
    failed: threading.Event,
) -> None:
    """Play while the view or plain lines show it; returns when it is over or the user quits."""
    wearer = source.record.wearer

    def done() -> bool:
        return failed.is_set() or not worker.is_alive()

    kinds = KINDS if session.view else LINE_KINDS
    viewer = ViewerClient(context, endpoints.publish, topics(kinds, wearer), secure=session.secure)

    def acknowledge(alarm: messages.Alarm) -> None:
        viewer.say(messages.Acknowledge(wearer=wearer, alarm=alarm.alarm, by=user()))

    with contextlib.closing(viewer):
        _await_subscription(viewer)
        worker.start()
        if not session.view:
            run_lines(viewer, out=session.out, done=done)
            return
        run_view(
            viewer,
            wearer=wearer,
            title=source.record.name,
            notice=session.notice,
            score=board.line,
            acknowledge=acknowledge,
            done=done,
        )


def _await_subscription(viewer: ViewerClient) -> None:
    """Wait until the monitor knows what the view wants; it misses nothing from then on.

    What arrives first stays for the view to read: it begins with how things stand.
    """
    deadline = time.monotonic() + SUBSCRIBED_S
    while time.monotonic() < deadline:
        viewer.keep_alive()
        if viewer.socket.poll(20):
            return


def _range(record: Record, session: Session, *, endless: bool) -> tuple[int, int]:
    """Return the samples to play."""
    n = ENDLESS if endless else len(record.samples)
    first = round(session.start_s * record.rate)
    seconds = session.duration_s
    stop = n if seconds is None else min(n, first + round(seconds * record.rate))
    if stop - first < record.rate:
        raise UsageError(
            f"Nothing to play: {record.name} lasts {n / record.rate:.0f} s, and at least one "
            "second of it is needed; check --from and --duration."
        )
    return first, stop


def _score_from(session: Session, card: Card | None, record: Record, *, fits: bool) -> int:
    """Return the first window to score: by default the one after the model's enrolment."""
    if session.score_from_s is not None:
        return session.score_from_s * RATE // WINDOW
    enrolment = card.enrolment if card else None
    return enrolment.stop if enrolment and (fits or enrolment.record == record.name) else 0
