"""The commands of docs/backup.md, run unchanged beside a running monitor."""

import re
import shutil
import signal
from pathlib import Path

import pytest

from tests.support.subprocesses import ECGMON, ecgmon_each, shell, start

PAGE = (Path(__file__).parents[2] / "docs" / "backup.md").read_text()
SQLITE, PYTHON, FILES, RESTORE = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.slow  # two monitors and eight commands, each a process of its own
@pytest.mark.parametrize("journal", [SQLITE, PYTHON], ids=["sqlite3", "python"])
def test_what_is_restored_says_the_same_and_serves(env, tmp_path, journal):
    if journal == SQLITE and not shutil.which("sqlite3"):
        pytest.skip("needs the program sqlite3")
    state, copy = tmp_path / "state", tmp_path / "copy"
    env |= {
        "ECGMON_STATE": str(state),
        "BACKUP": str(copy),
        "ECGMON_NETWORK_INGEST": "tcp://127.0.0.1:*",
        "ECGMON_NETWORK_PUBLISH": "tcp://127.0.0.1:*",
    }
    built_in = Path(__file__).parents[2] / "ecgmon" / "models" / "built_in" / "203.onnx"
    before = [
        ("models", "import", "203", built_in),
        ("keys", "make", "desk", "--all", "-o", tmp_path / "desk.key"),
    ]
    assert [done.code for done in ecgmon_each(before, tmp_path, env)] == [0, 0]
    asked = [
        ("export", "--patient", "simulated-asystole", "--format", "csv", "-o", "-"),
        ("models", "list", "--json", "-"),
        ("keys", "list", "--json", "-"),
    ]
    with start(ECGMON, "serve", folder=tmp_path / "serve", env=env) as monitor:
        ingest = monitor.wait_for(r"ingest=(\S+)")[1]
        play = ("replay", "--simulate", "asystole", "--duration", "40", "--speed", "max")
        (played,) = ecgmon_each([(*play, "--connect", ingest, "--no-view")], tmp_path, env)
        assert played.code == 0, played.err
        for block in (journal, FILES):
            done = shell(block, env)
            assert (done.code, done.err) == (0, "")
        had = ecgmon_each(asked, tmp_path, env)
        assert monitor.end(signal.SIGTERM).code == 0
    assert had[0].out.count("\n") > 30
    assert "asystole" in had[0].out
    assert "203" in had[1].out
    assert "desk" in had[2].out
    done = shell(RESTORE, env)
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "state.before").is_dir()
    checked, *got = ecgmon_each([("doctor",), *asked], tmp_path, env)
    assert checked.code == 0, checked.out
    assert [(one.code, one.out) for one in got] == [(one.code, one.out) for one in had]
    with start(ECGMON, "serve", folder=tmp_path / "again", env=env) as monitor:
        monitor.wait_for("ready")
