"""Playing to a real monitor, with everything over sockets."""

import contextlib
import threading
import time

import numpy as np
import pytest
import zmq

from ecgmon.core.constants import NO_VALUE
from ecgmon.core.errors import EcgmonError
from ecgmon.records import Record
from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient, topics
from replay.player.device import RecordDevice
from replay.player.player import PlayedDevice, Player
from replay.player.schedule import Pace
from replay.scoring.scoreboard import Played, Scoreboard
from replay.simulator.simulation import simulate
from tests.support.desk import PATIENCE_S, Desk
from tests.support.rig import Rig

RATE = 360
FULL_SPEED = Pace(float("inf"))


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path) as rig:
        yield rig


def part(record, pace=FULL_SPEED):
    device = RecordDevice(record, 0, len(record.samples), pace)
    return PlayedDevice(
        record.wearer, device, Scoreboard(Played(record, 0, 0), None, device.available_at)
    )


@contextlib.contextmanager
def playing(rig, *records, pace=FULL_SPEED):
    """Make a player that is not welcome yet, and its parts."""
    parts = [part(record, pace) for record in records]
    for each in parts:
        each.device.connect(rig.monitor.ingest, rig.context)
    player = Player(parts, rig.context)
    yield (player, *parts)
    player.close()


@contextlib.contextmanager
def listening(rig, *kinds):
    """Listen to everybody; gives a function that waits for such a message of a wearer."""
    viewer = ViewerClient(rig.context, rig.monitor.publish, topics(kinds))
    received = []

    def until(kind, wearer=None):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            received.extend(viewer.drain(100))
            for message in received:
                if isinstance(message, kind) and wearer in (None, getattr(message, "wearer", None)):
                    return message
            assert time.monotonic() < deadline
            viewer.socket.poll(20)

    until(messages.Subscribed)
    yield until
    viewer.socket.close()


def run(player):
    thread = threading.Thread(target=player.run)
    thread.start()
    return thread


def test_a_record_is_played_to_its_end_and_every_window_of_it_counted(rig):
    simulation = simulate("gaps", seed=3)
    with playing(rig, simulation.record) as (player, played):
        assert player.welcome() == rig.monitor.publish
        assert not player.complete
        player.run()
        assert player.complete
    result = played.board.result(played.device.sent)
    missing = sum(stop - start for start, stop in simulation.record.missing)
    assert played.board.end == len(simulation.record.samples)
    assert result["samples_sent"] == result["samples_received"] == played.board.end - missing
    assert played.device.figures() == {
        "samples_sent": result["samples_sent"],
        "samples_acknowledged": result["samples_sent"],
        "samples_resent": 0,
        "samples_dropped": 0,
        "reconnects": 0,
    }
    assert result["gaps"] == len(simulation.record.missing)
    assert result["windows"] == played.board.end // RATE - 1  # the last looks ahead in vain
    assert "no-signal" in {alarm.kind for alarm in played.board.alarms}
    assert all(latency >= 0 for latency in (result["latency_ms_p50"], result["latency_ms_p99"]))


def test_many_wearers_play_at_once_and_each_is_counted_for_itself(rig):
    records = [
        simulate("normal", seed=seed, duration_s=5 + seed, wearer=f"20{seed}").record
        for seed in range(4)
    ]
    with playing(rig, *records) as (player, *parts):
        player.welcome()
        player.run()
    for seed, played in enumerate(parts):
        result = played.board.result(played.device.sent)
        assert played.error is None
        assert (result["patient"], result["windows"]) == (f"20{seed}", 4 + seed)
        assert (
            result["samples_received"] == played.device.retransmit.acknowledged == (5 + seed) * RATE
        )


def test_one_of_many_that_fails_does_not_hold_up_the_others(rig):
    good = simulate("normal", duration_s=5).record
    bad = simulate("normal", duration_s=5, wearer="not an id!").record
    with playing(rig, bad, good) as (player, failed, played):
        player.welcome()
        player.run()
        assert player.complete
    assert "refused the stream: The message is not valid" in str(failed.error)
    assert played.board.result(0)["windows"] == 4


def test_messages_about_other_wearers_do_not_count(rig):
    record = simulate("normal", duration_s=10, wearer="203").record
    other = simulate("normal", duration_s=12, wearer="2031").record
    with playing(rig, other) as (beside, _), playing(rig, record) as (player, played):
        beside.welcome()
        player.welcome()
        beside.run()
        player.run()
    result = played.board.result(played.device.sent)
    assert (result["windows"], result["samples_received"]) == (9, 10 * RATE)


def test_an_active_alarm_is_counted_once_however_many_viewers_there_are(rig):
    nothing = np.full(600 * RATE, NO_VALUE, dtype=np.int16)
    record = Record("a/203", "203", 360.0, 200.0, "II", nothing)
    with playing(rig, record, pace=Pace(20)) as (player, played):
        player.welcome()
        thread = run(player)
        for _ in range(5):
            with listening(rig, messages.Opened, messages.Alarm) as until:
                until(messages.Alarm, "203")
        player.stop()
        thread.join()
    alarms = [(alarm.kind, alarm.state) for alarm in played.board.alarms]
    assert alarms.count(("no-signal", "raised")) == 1


def test_a_stop_ends_the_stream_and_keeps_what_was_judged(rig):
    record = simulate("normal", duration_s=60).record
    with (
        listening(rig, messages.Window, messages.Closed) as until,
        playing(rig, record, pace=Pace(2)) as (player, played),
    ):
        player.welcome()
        thread = run(player)
        until(messages.Window, record.wearer)
        player.stop()
        thread.join()
        assert until(messages.Closed, record.wearer).end == played.device.sent
    assert 0 < played.device.sent < len(record.samples)
    assert played.board.end == played.device.sent
    assert played.board.result(played.device.sent)["samples_received"] == played.device.sent


@contextlib.contextmanager
def own_monitor(record, publish=None):
    """Answer a player from the test's own sockets."""
    context = zmq.Context()
    desk, publisher = Desk(context), context.socket(zmq.ROUTER)
    publisher.bind("tcp://127.0.0.1:*")
    results = publisher.get_string(zmq.LAST_ENDPOINT).rstrip("\0")
    played = part(record)
    played.device.connect(desk.endpoint, context)
    while not desk.messages:
        played.device.send_due()
        desk.read(wait_ms=1)
    desk.welcome(played.device.stream, publish=publish or results)
    yield Player([played], context), played, publisher
    context.destroy(linger=0)


def test_messages_about_the_stream_before_do_not_count():
    record = simulate("normal", duration_s=5, wearer="203").record
    with own_monitor(record) as (player, played, publisher):
        fields = {"lead": "II", "rate": 360.0, "threshold": 0.5, "look_ahead_s": 0.5}
        old = {"wearer": "203", "stream": "0" * 16}
        new = {"wearer": "203", "stream": played.device.stream}
        other = {"wearer": "2031", "stream": played.device.stream}
        thread = threading.Thread(target=player.welcome)
        thread.start()
        viewer, wanted = publisher.recv_multipart()
        assert "opened/203" in messages.decode_from_viewer(wanted).topics
        for message in (
            messages.Closed(**old, end=5),
            messages.Closed(**other, end=6),
            messages.Opened(**old, **fields, model="old"),
            messages.Opened(**new, **fields, model="new"),
            messages.Subscribed(),
        ):
            publisher.send_multipart([viewer, messages.encode(message)])
        thread.join()
        assert played.board.end is None
        assert played.board.result(0)["model"] == "new"


def test_a_key_that_may_not_listen_plays_to_the_end_and_counts_nothing(caplog):
    record = simulate("normal", duration_s=5, wearer="203").record
    with own_monitor(record) as (player, played, publisher):
        thread = threading.Thread(target=player.welcome)
        thread.start()
        viewer, _ = publisher.recv_multipart()
        refused = messages.Refused(reason="This key may not do that.")
        publisher.send_multipart([viewer, messages.encode(refused)])
        thread.join()
        assert played.board.result(0)["windows"] == 0
        assert "not heard: This key may not do that." in caplog.text


def test_a_monitor_whose_results_cannot_be_received_is_an_error(monkeypatch):
    monkeypatch.setattr("replay.player.player.PATIENCE_S", 0.3)
    record, nowhere = simulate("normal", duration_s=5).record, "tcp://127.0.0.1:9"
    with (
        own_monitor(record, publish=nowhere) as (player, *_),
        pytest.raises(EcgmonError, match=f"Nothing is heard from {nowhere}"),
    ):
        player.welcome()


def test_a_refusal_reaches_the_player(rig):
    record = simulate("normal", duration_s=5, wearer="not an id!").record
    with (
        playing(rig, record) as (player, _),
        pytest.raises(EcgmonError, match="refused the stream: The message is not valid"),
    ):
        player.welcome()
