"""Captures that ``ecgmon serve`` writes from the devices' samples, and when it writes none."""

import time
from contextlib import ExitStack

import numpy as np
import pytest
import zmq

from ecgmon.records.captured.reader import captures
from tests.support.rig import Wearable
from tests.support.subprocesses import ECGMON, ecgmon, start

ANYWHERE = ("--ingest", "tcp://127.0.0.1:*", "--publish", "tcp://127.0.0.1:*")
RAMP = np.arange(30_000, dtype=np.int16)


@pytest.fixture
def serving(tmp_path, env):
    """Start a daemon; gives it and a device that is connected to it."""
    with ExitStack() as stack:

        def serving(*options):
            command = (ECGMON, "serve", *ANYWHERE, *options)
            daemon = stack.enter_context(start(*command, folder=tmp_path / "serve", env=env))
            endpoint = daemon.wait_for(r"event=ready ingest=(\S+) publish=\S+")[1]
            context = stack.enter_context(zmq.Context())
            device = Wearable(context, endpoint)
            stack.callback(device.socket.close)
            return daemon, device

        yield serving


@pytest.mark.thorough
def test_a_killed_daemon_leaves_complete_captures(serving, tmp_path):
    daemon, device = serving()
    folder = tmp_path / "home/.local/state/ecgmon/captured"
    device.greet("ann", 7)
    at = 0
    while not (found := captures(folder, "ann")) or found[0].length < 5000:
        device.send(at, RAMP[at : at + 500])
        at += 500
        device.until_acked(at)
        assert at < len(RAMP) - 500, "nothing is captured"
        time.sleep(0.05)
    daemon.process.kill()
    daemon.end()
    (record,) = captures(folder, "ann")
    assert found[0].length <= record.length <= at
    np.testing.assert_array_equal(record.read(0, record.stop).samples, RAMP[: record.stop])
    assert {path.suffix for path in (folder / "ann").iterdir()} == {".hea", ".dat"}


@pytest.mark.thorough
def test_hours_of_0_store_nothing_and_a_replay_never_does(serving, env, tmp_path):
    daemon, device = serving("--capture", 0)
    device.greet("ann", 7)
    device.send(0, RAMP[:2000])
    device.finish(2000)
    daemon.process.terminate()
    assert daemon.end().code == 0
    options = ("--speed", "max", "--no-view", "--duration", 5)
    assert ecgmon("replay", "--simulate", "normal", *options, env=env).code == 0
    assert list((tmp_path / "home").rglob("captured")) == []


@pytest.mark.thorough
def test_hours_below_0_are_refused(env):
    outcome = ecgmon("serve", "--capture", "-1", env=env)
    assert (outcome.code, outcome.out) == (2, "")
    assert "--capture" in outcome.err
