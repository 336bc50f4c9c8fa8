"""A wearer's signal, enrolments, models and lines are deleted, and nothing else is."""

import json
import shutil
import signal
import sqlite3
import sys
from contextlib import closing

import pytest

from ecgmon.keys import KeyStore
from ecgmon.records.captured.reader import captures
from ecgmon_cli import main
from ecgmon_cli.forget import complete
from monitor.storage import erasure
from tests.support.forgetting import (
    BOB,
    INSERT,
    JUNO,
    OLD,
    assert_forgotten,
    audit,
    made,
    stored_files,
)
from tests.support.keyring import PAIRS, device, viewer
from tests.support.subprocesses import ECGMON, Outcome, environment, start
from tests.support.terminals import Terminal

ANYWHERE = ("--ingest", "tcp://127.0.0.1:*", "--publish", "tcp://127.0.0.1:*")
CONFIGURATION = f"[models]\nmodel = '{JUNO}'\n[wearers.{JUNO}]\nsilent_s = 20\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return made(tmp_path_factory.mktemp("template") / "state")


@pytest.fixture
def state(template, tmp_path):
    return shutil.copytree(template, tmp_path / "state")


@pytest.fixture
def env(state, tmp_path):
    return environment(tmp_path / "home", ECGMON_STATE=state)


@pytest.fixture
def run(env, capsys, monkeypatch):
    """Run the command in this process."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["ecgmon", "forget", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Outcome(ended.value.code, *capsys.readouterr())

    return run


def test_a_wearer_is_forgotten_and_that_is_on_record(state, template, run):
    dry = run(JUNO, "--dry-run")
    output = (
        f"of {JUNO} in {state}: 0.5 hours of signal in 1 record, 2 models, 2 enrolment files, "
        "304 journal lines with 2 alarms.\n"
    )
    assert (dry.code, dry.out, dry.err) == (0, f"Would be deleted {output}", "")
    assert stored_files(state) == stored_files(template)
    assert not (state / "forgotten.jsonl").exists()
    assert complete() == [BOB, JUNO]
    done = run(JUNO, "--yes")
    assert (done.code, done.out, done.err) == (0, f"Deleted {output}", "")
    assert_forgotten(state, template)
    assert complete() == [BOB]
    begun, end = audit(state)
    assert (begun["state"], end["state"]) == ("begun", "done")
    assert begun["deleted"] == end["deleted"]
    assert end["deleted"]["lines"] == 304
    assert end["by"]
    again = run(JUNO, "--yes")
    assert (again.code, again.out) == (2, "")
    assert again.err == (
        f"Error: Nothing is kept of {JUNO}: all was deleted at {end['at']} by {end['by']}.\n"
    )


def test_files_that_still_name_the_wearer_are_listed(state, run, tmp_path):
    store = KeyStore(state / "keys")
    store.add(device("watch", PAIRS[0], JUNO))
    store.add(viewer("desk", PAIRS[1], (BOB, JUNO)))
    store.add(viewer("all", PAIRS[2], "*"))
    store.revoke("desk")
    (state / "journal.db.damaged-1").write_bytes(b"?")
    file = tmp_path / "ecgmon.toml"
    file.write_text(CONFIGURATION)
    outcome = run(JUNO, "--yes", "--config", file, "--json", "-")
    assert (outcome.code, outcome.err) == (0, "")
    output = json.loads(outcome.out)
    assert output.pop("remains") == [
        f"[wearers.{JUNO}] is still in {file}: remove it there.",
        f"models.model is still {JUNO} in {file}: choose another, or no monitor starts.",
        f"The key desk still names {JUNO}: it is revoked, so remove {state}/keys/desk.json.",
        f"The key watch still names {JUNO}: ecgmon keys bind watch gives it another wearer, "
        "ecgmon keys revoke watch ends it.",
        f"{state}/journal.db.damaged-1 may hold lines of {JUNO}: remove it when nobody needs it.",
    ]
    assert output == {
        "wearer": JUNO,
        "deleted": True,
        "signal_hours": 0.5,
        "records": 1,
        "models": 2,
        "enrolments": 2,
        "alarms": 2,
        "lines": 304,
    }


@pytest.mark.thorough
def test_while_a_monitor_runs_nothing_is_forgotten(state, template, run, env, tmp_path):
    before = stored_files(template)
    with start(ECGMON, "serve", *ANYWHERE, folder=tmp_path / "serve", env=env) as daemon:
        daemon.wait_for("event=ready")
        dry, refused = run(JUNO, "--dry-run"), run(JUNO, "--yes")
        assert (dry.code, refused.code, refused.out) == (0, 2, "")
        assert refused.err == (
            f"Error: A monitor is running on {state}: stop it, with systemctl stop ecgmon if it is "
            "the service, run this again, and start it.\n"
        )
        assert stored_files(state)[0] == before[0]
        assert daemon.end(signal.SIGTERM).code == 0
    assert run(JUNO, "--yes").code == 0
    with start(ECGMON, "serve", *ANYWHERE, folder=tmp_path / "again", env=env) as daemon:
        daemon.wait_for("event=ready")
        assert daemon.end(signal.SIGTERM).code == 0
        assert "damaged" not in daemon.written
    assert not list(captures(state / "captured", JUNO))


def test_a_reader_keeps_no_copy_in_the_write_ahead_log(state, template, run, monkeypatch):
    monkeypatch.setattr(erasure, "BUSY_MS", 50)
    with closing(sqlite3.connect(state / "journal.db")) as reader:
        reader.execute(INSERT, (0.0, "event", JUNO, OLD))  # as a monitor that was killed leaves it
        reader.commit()
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM journal").fetchone()
        busy = run(JUNO, "--yes")
        assert (busy.code, busy.out) == (2, "")
        assert busy.err == (
            f"Error: Another program reads the journal {state}/journal.db: run this again when it "
            "has ended.\n"
        )
        assert OLD.encode() in (state / "journal.db-wal").read_bytes()
        reader.rollback()
        assert run(JUNO, "--yes").code == 0
        assert_forgotten(state, template)
    assert [line["state"] for line in audit(state)] == ["begun", "begun", "done"]


def test_an_impossible_forget_is_reported_in_a_sentence(state, template, run):
    sentences = {
        ("nobody", "--yes"): f"Nothing is kept of nobody in {state}: check the id, and where "
        "$ECGMON_STATE points to.",
        ("../x", "--yes"): "'../x' cannot be a wearer's id: take up to 64 letters, digits, '.', "
        "'_' or '-', a letter or digit first.",
        (JUNO,): "There is no terminal to ask in: give --yes to delete without asking.",
        (JUNO, "--yes", "--journal", "none.db"): "There is no journal none.db: name the monitor's "
        "with --journal.",
    }
    for args, sentence in sentences.items():
        outcome = run(*args)
        assert (outcome.code, outcome.out, outcome.err) == (2, "", f"Error: {sentence}\n")
    assert stored_files(state) == stored_files(template)
    (state / "journal.db").write_bytes(b"no journal" * 1000)
    damaged = run(JUNO, "--yes")
    assert damaged.code == 2
    assert "journal.db is damaged (file is not a database): start the monitor once" in damaged.err


ASK = f"""
import os, sys
os.close(os.open(os.ttyname(1), os.O_RDWR))
os.environ["ECGMON_STATE"] = sys.argv[1]
sys.argv = ["ecgmon", "forget", "{JUNO}"]
from ecgmon_cli import main
main()
"""


@pytest.mark.parametrize("answer", ["n", "y"])
def test_it_asks_first(state, template, tmp_path, answer):
    with closing(Terminal(tmp_path, ASK, str(state))) as terminal:
        terminal.type(f"{answer}\n".encode())
        code = terminal.wait()
        output = terminal.process.stderr.read().decode()
    assert "2 models, 2 enrolment files, 304 journal lines with 2 alarms" in output
    assert "Delete all of it for ever? [y/N]" in output
    if answer == "y":
        assert code == 0
        assert_forgotten(state, template)
    else:
        assert code == 1
        assert output.endswith("Nothing was deleted.\n")
        assert stored_files(state) == stored_files(template)
