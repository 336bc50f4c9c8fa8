"""The examples, run against a real monitor that is restarted under them.

Those of version 0.1.0 as well, as they were: not every device is changed with the monitor.
"""

import ast
import re
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import zmq

from ecgmon.core.constants import NO_VALUE
from ecgmon.records.captured import reader as captured
from ecgmon.wire import Frame, messages
from tests.support.subprocesses import environment, start

pytestmark = pytest.mark.thorough

EXAMPLES = Path(__file__).parents[2] / "examples"
EARLIER = Path(__file__).parents[1] / "fixtures" / "0.1.0"
SERVE = (sys.executable, "-c", "from ecgmon_cli import main; main()", "serve")
READY = r"event=ready ingest=(\S+) publish=(\S+)"
RATES, SECONDS = {"python": 360, "c": 250}, 3
PATIENCE_MS = 30_000


@pytest.fixture(scope="module", params=[EXAMPLES, EARLIER], ids=["present", "0.1.0"])
def examples(request):
    """The folder that they are in."""
    return request.param


@pytest.fixture(scope="module")
def commands(examples, tmp_path_factory):
    """Return the command of each language's device; None if it cannot be built."""
    python = (sys.executable, examples / "device.py")
    if not shutil.which("gcc") or not Path("/usr/include/zmq.h").exists():
        return {"python": python, "c": None}
    folder = tmp_path_factory.mktemp("built")
    program = folder / "device"
    strict = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-O2")
    command = ("gcc", *strict, "-o", program, examples / "device.c", "-lzmq", "-lm")
    with start(*command, folder=folder / "gcc", env=environment(folder)) as compiler:
        outcome = compiler.end()
    assert (outcome.code, outcome.err) == (0, "")
    return {"python": python, "c": (program,)}


def device(commands, language, endpoint, wearer, key=None):
    """Return the command of a device; skips where there is none."""
    if commands[language] is None:
        pytest.skip("needs gcc and zmq.h: apt install gcc libzmq3-dev")
    if language == "c":
        return (*commands["c"], endpoint, wearer, RATES["c"], SECONDS, *([key] if key else []))
    options = ("--rate", RATES["python"], "--seconds", SECONDS, *(["--key", key] if key else []))
    return (*commands["python"], endpoint, wearer, *options)


@pytest.fixture(scope="module")
def ran(examples, commands, tmp_path_factory):
    """Devices and a viewer through a restart; gives the outcomes, and where it was captured."""
    folder = tmp_path_factory.mktemp("examples")
    env = environment(folder, ECGMON_STATE=folder / "state")
    with ExitStack() as stack:

        def run(name, *command):
            return stack.enter_context(start(*command, folder=folder / name, env=env))

        anywhere = ("--ingest", "tcp://127.0.0.1:*", "--publish", "tcp://127.0.0.1:*")
        daemon = run("first", *SERVE, *anywhere)
        ingest, publish = daemon.wait_for(READY).groups()
        viewer = run("viewer", sys.executable, examples / "viewer.py", publish)
        languages = [language for language, command in commands.items() if command]
        devices = {each: run(each, *device(commands, each, ingest, each)) for each in languages}
        for each in devices.values():
            each.wait_for("welcome, next=0")
        time.sleep(1)
        daemon.end(signal.SIGTERM)
        run("second", *SERVE, "--ingest", ingest, "--publish", publish).wait_for(READY)
        lead_off(ingest)
        viewer.wait_for("no-signal raised")
        outcomes = {name: each.end() for name, each in devices.items()}
        outcomes["viewer"] = viewer.end(signal.SIGKILL)
    return outcomes, folder / "state" / "captured"


def lead_off(ingest):
    """Be a device that measures nothing."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.connect(ingest)
        hello = messages.Hello(wearer="bob", stream="0" * 15 + "7", rate=360.0, leads=["II"])
        socket.send(messages.encode(hello))
        nothing = np.full(3600, NO_VALUE, dtype=np.int16)
        assert socket.poll(PATIENCE_MS)
        socket.send(Frame(7, 0, 0, 360_000, 200.0, "II", nothing).encode())
        assert socket.poll(PATIENCE_MS)


@pytest.mark.parametrize("language", ["python", "c"])
def test_a_device_loses_nothing_though_the_monitor_is_restarted(ran, commands, language):
    outcomes, folder = ran
    device(commands, language, "", "")
    outcome = outcomes[language]
    assert (outcome.code, outcome.err) == (0, "")
    assert len(re.findall("^welcome", outcome.out, re.MULTILINE)) == 2
    rate = RATES[language]
    total = rate * SECONDS
    assert outcome.out.endswith(f"sent {total} samples\n")
    stream = captured.captures(folder, language)[0].stream
    record = captured.read(folder, language, stream, 0, total)
    assert (record.rate, record.lead, record.gain) == (rate, "II", 200.0)
    assert not (record.samples == NO_VALUE).any()
    # The R waves of a regular rhythm.
    beats = np.flatnonzero((record.samples[1:] > 100) & (record.samples[:-1] <= 100))
    np.testing.assert_allclose(np.diff(beats), rate * 60 / 72, atol=1)


def test_the_viewer_prints_alarms_though_the_monitor_is_restarted(ran):
    outcome = ran[0]["viewer"]
    assert outcome.err == ""
    assert re.search(
        r"^\d\d:\d\d:\d\d bob medium no-signal raised alarm=1 text='.*' by=None$",
        outcome.out,
        re.MULTILINE,
    )


@pytest.mark.parametrize("language", ["python", "c"])
def test_a_device_speaks_curve(commands, language, tmp_path):
    server, secret = zmq.curve_keypair()
    pair = dict(zip(("public", "secret"), zmq.curve_keypair(), strict=True))
    lines = [f'{name} = "{key.decode()}"\n' for name, key in (pair | {"server": server}).items()]
    key = tmp_path / "ann.key"
    key.write_text("# A private key.\n" + "".join(lines))
    with zmq.Context() as context, context.socket(zmq.ROUTER) as monitor:
        monitor.linger = 0
        monitor.curve_server = True
        monitor.curve_secretkey = secret
        monitor.bind("tcp://127.0.0.1:*")
        endpoint = monitor.get_string(zmq.LAST_ENDPOINT).rstrip("\0")
        command = device(commands, language, endpoint, "ann", key)
        with start(*command, folder=tmp_path / "device", env=environment(tmp_path)):
            assert monitor.poll(PATIENCE_MS)
            _, hello = monitor.recv_multipart()
    assert messages.decode_from_device(hello).wearer == "ann"


@pytest.mark.parametrize("example", ["device.py", "viewer.py"])
def test_an_example_needs_nothing_of_ours(example):
    tree = ast.parse((EXAMPLES / example).read_text())
    modules = {
        name.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert modules <= set(sys.stdlib_module_names) | {"zmq"}
