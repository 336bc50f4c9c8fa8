"""Gateways as processes of their own: killed, ended, and started where there is no fleet."""

import contextlib
import signal
import time

import numpy as np
import pytest
import zmq

from ecgmon.wire import messages
from tests.support.gateway_rig import kept, portions
from tests.support.rig import Wearable
from tests.support.subprocesses import ECGMON, ecgmon, environment, start

SAMPLES = np.random.default_rng(8).integers(-500, 500, 36_000).astype(np.int16)


@pytest.fixture
def env(tmp_path):
    return environment(tmp_path / "home")


@pytest.fixture
def context():
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


def a_gateway(server, folder, env):
    return start(
        ECGMON,
        "gateway",
        "--ingest",
        "tcp://127.0.0.1:*",
        "--fleet",
        server.address,
        folder=folder,
        env=env,
    )


def endpoint(process):
    return process.wait_for(r"event=ready ingest=(\S+)")[1]


def acks(device):
    """Return what has been acknowledged by now."""
    heard = []
    while device.socket.poll(0):
        heard.append(messages.decode_to_device(device.socket.recv()).next)
    return heard


def streamed(device, at, seconds):
    """Send samples ten times as fast as they are measured; returns the next one and all acks."""
    acked, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        device.send(at, SAMPLES[at : at + 72])
        at += 72
        time.sleep(0.02)
        acked += acks(device)
    return at, acked


@pytest.mark.thorough
def test_a_killed_gateway_is_followed_by_another_without_a_loss(
    server, link, tmp_path, env, context
):
    with contextlib.ExitStack() as stack:

        def another(name):
            process = stack.enter_context(a_gateway(server, tmp_path / name, env))
            return process, endpoint(process)

        process, where = another("0")
        for name in "123":
            following, there = another(name)
            device = Wearable(context, where)
            at = device.greet("ann.b", 7).next
            at, acked = streamed(device, at, 0.7 + 0.3 * int(name))
            process.process.send_signal(signal.SIGKILL)
            process.process.wait()
            acked += acks(device)
            device.socket.close()
            device = Wearable(context, there)
            assert max(acked) <= device.greet("ann.b", 7).next <= at
            process, where = following, there
            device.socket.close()
        device = Wearable(context, where)
        first = device.greet("ann.b", 7).next
        device.send_all(SAMPLES[first : at + 720], first=first, size=90)
        device.finish(at + 720)
        device.socket.close()
    np.testing.assert_array_equal(kept(portions(link, "ann.b")), SAMPLES[: at + 720])


@pytest.mark.thorough
def test_a_killed_server_loses_nothing_that_was_acknowledged(server, link, tmp_path, env, context):
    with a_gateway(server, tmp_path / "gateway", env) as process:
        device = Wearable(context, endpoint(process))
        at = device.greet("ann", 7).next
        acked = []
        for number in range(3):
            at, more = streamed(device, at, 0.6 + 0.3 * number)
            acked += more
            server.kill()
            at, more = streamed(device, at, 0.4)
            acked += more
            server.start()
        device.finish(at)
        assert process.end(signal.SIGTERM).code == 0
        device.socket.close()
    assert acked == sorted(acked)
    assert 0 < acked[-1] <= at
    np.testing.assert_array_equal(kept(portions(link, "ann")), SAMPLES[:at])


def test_a_gateway_ends_in_order_and_takes_its_settings_again(server, link, tmp_path, env, context):
    with a_gateway(server, tmp_path / "gateway", env) as process:
        device = Wearable(context, endpoint(process))
        device.greet("ann", 7)
        process.process.send_signal(signal.SIGHUP)
        process.wait_for("event=reloaded")
        device.send(0, SAMPLES[:100])
        device.say(messages.Heartbeat(stream=messages.stream_id(7)))
        assert device.hear().seen == 100
        began = time.monotonic()
        outcome = process.end(signal.SIGTERM)
        assert time.monotonic() - began < 2
        device.until_acked(100)
        device.socket.close()
    assert outcome.code == 0
    assert "Traceback" not in outcome.err
    np.testing.assert_array_equal(kept(portions(link, "ann")), SAMPLES[:100])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "No NATS server is named: give fleet.servers"),
        pytest.param(
            ["--fleet", "nats://127.0.0.1:1"],
            "No NATS server answers at nats://127.0.0.1:1",
            marks=pytest.mark.thorough,
        ),
        (["--fleet", "127.0.0.1"], "--fleet"),
    ],
)
def test_no_fleet_to_join_is_one_clear_sentence(env, options, says):
    outcome = ecgmon("gateway", "--ingest", "tcp://127.0.0.1:*", *options, env=env)
    assert outcome.code == 2
    assert says in " ".join(outcome.err.split())
    assert "Traceback" not in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
