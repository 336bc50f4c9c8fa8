"""Playing to a real monitor, with everything over sockets."""

import contextlib
import threading

import numpy as np
import pytest
import zmq

from ecgmon.errors import EcgmonError
from ecgmon.records import Record
from ecgmon.wire import NO_VALUE, messages
from replay.device import Device
from replay.player import Player
from replay.schedule import Pace
from replay.scoreboard import Played, Scoreboard
from replay.simulated import simulate
from tests.monitor.rig import Rig

RATE = 360
FULL_SPEED = Pace(float("inf"))


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path) as rig:
        yield rig


@contextlib.contextmanager
def playing(rig, record, pace=FULL_SPEED):
    """Make a player that is welcome, and its board."""
    device = Device(record, 0, len(record.samples), pace)
    board = Scoreboard(Played(record, 0, 0), None, device.available_at)
    device.connect(rig.monitor.ingest, rig.context)
    player = Player(device, board, record.wearer, rig.context)
    yield player, board, device
    device.socket.close()
    player._results.close()


def test_a_record_is_played_to_its_end_and_every_window_of_it_counted(rig):
    simulation = simulate("gaps", seed=3)
    with playing(rig, simulation.record) as (player, board, device):
        assert player.welcome() == rig.monitor.publish
        assert not player.complete
        player.run()
        assert player.complete
    result = board.result(device.sent)
    missing = sum(stop - start for start, stop in simulation.record.missing)
    assert board.end == len(simulation.record.samples)
    assert result["samples_sent"] == result["samples_received"] == board.end - missing
    assert result["gaps"] == len(simulation.record.missing)
    assert result["windows"] == board.end // RATE - 1  # the last one's look-ahead never comes
    assert [alert.kind for alert in board.alerts] == ["no-signal", "no-signal"]
    assert all(latency >= 0 for latency in (result["latency_ms_p50"], result["latency_ms_p99"]))


def test_what_is_said_of_others_does_not_count(rig):
    """Of a wearer whose id begins like this one's, and of this one's stream before."""
    record = simulate("normal", duration_s=10, wearer="203").record
    other, before = rig.device(), rig.device()
    other.greet("2031", 1)
    before.greet("203", 2)
    before.send_all(record.samples[: 5 * RATE])
    before.until_acked(5 * RATE)
    with playing(rig, record) as (player, board, device):
        player.welcome()
        other.send_all(record.samples)
        other.finish(len(record.samples))
        player.run()
    result = board.result(device.sent)
    assert (result["windows"], result["samples_received"]) == (9, 10 * RATE)


def test_what_stands_is_counted_once_however_many_listen(rig):
    nothing = np.full(600 * RATE, NO_VALUE, dtype=np.int16)
    record = Record("a/203", "203", 360.0, 200.0, "II", nothing)
    with playing(rig, record, Pace(20)) as (player, board, _):
        player.welcome()
        thread = threading.Thread(target=player.run)
        thread.start()
        rig.newcomer().until(messages.Alert, "203")
        for _ in range(5):
            rig.newcomer("opened/", "alert/").until(messages.Alert, "203")
        player.stop()
        thread.join()
    assert [(alert.kind, alert.state) for alert in board.alerts] == [("no-signal", "raised")]


def test_a_stop_ends_the_stream_and_keeps_what_was_judged(rig):
    record = simulate("normal", duration_s=60).record
    listener = rig.listener()
    with playing(rig, record, Pace(2)) as (player, board, device):
        player.welcome()
        thread = threading.Thread(target=player.run)
        thread.start()
        listener.until(messages.Window, record.wearer)
        player.stop()
        thread.join()
    assert 0 < device.sent < len(record.samples)
    assert listener.until(messages.Closed, record.wearer).end == device.sent
    assert board.end == device.sent
    assert board.result(device.sent)["samples_received"] == device.sent


@contextlib.contextmanager
def own_monitor(record, publish=None):
    """Answer a player from the test's own sockets; gives player, board, device and publisher."""
    context = zmq.Context()
    with context.socket(zmq.ROUTER) as desk, context.socket(zmq.XPUB) as publisher:
        ingest, results = (
            f"tcp://127.0.0.1:{socket.bind_to_random_port('tcp://127.0.0.1')}"
            for socket in (desk, publisher)
        )
        device = Device(record, 0, len(record.samples), FULL_SPEED)
        board = Scoreboard(Played(record, 0, 0), None, device.available_at)
        device.connect(ingest, context)
        peer, _ = desk.recv_multipart()
        welcome = messages.Welcome(stream=device.stream, next=0, publish=publish or results)
        desk.send_multipart([peer, messages.encode(welcome)])
        yield Player(device, board, record.wearer, context), board, device, publisher
    context.destroy(linger=0)


def test_what_is_said_of_the_stream_before_does_not_count():
    record = simulate("normal", duration_s=5, wearer="203").record
    with own_monitor(record) as (player, board, device, publisher):
        fields = {"lead": "II", "rate": 360.0, "threshold": 0.5, "look_ahead_s": 0.5}
        old = {"wearer": "203", "stream": "0" * 16}
        new = {"wearer": "203", "stream": device.stream}
        other = {"wearer": "2031", "stream": device.stream}
        thread = threading.Thread(target=player.welcome)
        thread.start()
        assert [publisher.recv()[1:] for _ in range(6)][-1] == b"opened/203"
        for message in (
            messages.Closed(**old, end=5),
            messages.Closed(**other, end=6),
            messages.Opened(**old, **fields, model="old"),
            messages.Opened(**new, **fields, model="new"),
        ):
            publisher.send_multipart([messages.topic(message), messages.encode(message)])
        thread.join()
        assert board.end is None
        assert board.result(0)["model"] == "new"


def test_a_monitor_whose_results_cannot_be_heard_is_an_error(monkeypatch):
    monkeypatch.setattr("replay.player.PATIENCE_S", 0.3)
    record, nowhere = simulate("normal", duration_s=5).record, "tcp://127.0.0.1:9"
    with (
        own_monitor(record, publish=nowhere) as (player, *_),
        pytest.raises(EcgmonError, match=f"Nothing is heard from {nowhere}"),
    ):
        player.welcome()


def test_a_refusal_reaches_the_player(rig):
    record = simulate("normal", duration_s=5, wearer="not an id!").record
    with (
        playing(rig, record) as (player, _, _),
        pytest.raises(EcgmonError, match="refused the stream: The message is not valid"),
    ):
        player.welcome()
