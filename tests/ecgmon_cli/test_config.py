"""The configuration from the command line, and what a running daemon makes of it."""

import json
import re
import signal
import socket
import time
import tomllib
from contextlib import closing

import pytest

from tests.support.subprocesses import ECGMON, ecgmon_each, start

ANYWHERE = 'ingest = "tcp://127.0.0.1:*"\npublish = "tcp://127.0.0.1:*"\n'


@pytest.mark.thorough
def test_what_is_in_force_is_shown_with_where_it_comes_from(env, tmp_path):
    file = tmp_path / "ecgmon.toml"
    file.write_text("[alarms]\nlow_rate = 45\n[wearers.ann]\nlead = 'V5'\nlow_rate = 50\n")
    env |= {"ECGMON_CONFIG": str(file), "ECGMON_LIMITS_WEARERS": "3"}
    commands = [
        ("config", "show"),
        ("config", "show", "--json", "-"),
        ("config", "show", "--defaults"),
        ("config", "check"),
    ]
    shown, as_json, defaults, checked = ecgmon_each(commands, tmp_path, env)
    for outcome in (shown, as_json, defaults, checked):
        assert (outcome.code, outcome.err) == (0, "")
    assert f"low_rate = 45  # {file}, line 2\n" in shown.out
    assert "wearers = 3  # $ECGMON_LIMITS_WEARERS\n" in shown.out
    assert "high_rate = 120  # default\n" in shown.out
    assert shown.out.endswith(
        f'[wearers.ann]\nlow_rate = 50  # {file}, line 5\nlead = "V5"  # {file}, line 4\n'
    )
    everything = json.loads(as_json.out)
    assert everything["limits"]["wearers"] == {"value": 3, "from": "$ECGMON_LIMITS_WEARERS"}
    assert everything["wearers"]["ann"]["lead"]["value"] == "V5"
    assert tomllib.loads(defaults.out)["alarms"]["low_rate"] == 50
    assert checked.out == f"{file} is valid.\n"


@pytest.mark.thorough
def test_a_configuration_that_serve_would_refuse_is_refused(env, tmp_path):
    texts = ["[alarms]\nlow_rat = 45\n", "[models]\nmodel = 'nosuch'\n"]
    commands = []
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.toml").write_text(text)
        commands.append(("config", "check", tmp_path / f"{i}.toml"))
    unknown, model = ecgmon_each(commands, tmp_path, env)
    for outcome in (unknown, model):
        assert (outcome.code, outcome.out) == (2, "")
    assert unknown.err == (
        f"Error: {tmp_path}/0.toml, line 2: there is no alarms.low_rat; did you mean "
        "alarms.low_rate?\n"
    )
    assert "There is no model nosuch" in model.err


@pytest.mark.thorough
def test_the_daemon_notifies_systemd_and_reads_its_configuration_again_at_sighup(env, tmp_path):
    file = tmp_path / "ecgmon.toml"
    file.write_text(f"[network]\n{ANYWHERE}")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)

        def notification(pattern):
            while not re.match(pattern, notified := manager.recv(4096).decode()):
                pass
            return notified

        env |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        command = (ECGMON, "serve", "--config", file, "--journal", tmp_path / "db")
        with start(*command, folder=tmp_path / "serve", env=env) as daemon:
            assert notification("READY=1")
            ingest = daemon.wait_for(r"event=ready ingest=(\S+) publish=\S+")[1]
            assert ingest in notification("STATUS=")
            assert notification("WATCHDOG=1")
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_for("event=reloaded")
            assert "MONOTONIC_USEC=" in notification("RELOADING=1")
            assert notification("READY=1")

            file.write_text("[network]\ningset = 3\n")
            daemon.process.send_signal(signal.SIGHUP)
            refused = daemon.wait_for(r'level=error .* event=reload-refused reason="(.*)"')[1]
            assert "line 2: there is no network.ingset; did you mean network.ingest?" in refused
            assert notification("RELOADING=1")
            assert notification("READY=1")
            assert notification("WATCHDOG=1")  # it goes on

            before = time.monotonic()
            assert daemon.end(signal.SIGTERM).code == 0
            assert time.monotonic() - before < 2
            assert notification("STOPPING=1")
