"""Export of stored signals and messages while the monitor runs."""

import csv
import io
import json
import re
import signal
import sqlite3
import sys
import time
from contextlib import ExitStack, closing

import pytest
import wfdb
import zmq

from ecgmon.wire import Frame, messages
from replay.simulator.simulation import simulate
from tests.support.subprocesses import ecgmon_each, environment, start

pytestmark = pytest.mark.thorough

MAIN = (sys.executable, "-c", "from ecgmon_cli import main; main()")
ANYWHERE = ("--ingest", "tcp://127.0.0.1:*", "--publish", "tcp://127.0.0.1:*")
WEARER = "simulated-asystole"
STREAM = messages.stream_id(7)
PATIENCE_MS = 30_000
WANTED = {
    "wfdb": ["-o", "{out}"],
    "csv": ["--format", "csv"],
    "json": ["--format", "json", "--output", "{out}.json"],
    "later": ["--from", "2999-01-01"],
    "nobody": ["--patient", "nobody"],
    "no id": ["--patient", "../x"],
    "no time": ["--to", "soon"],
    "exchanged": ["--from", "-1h", "--to", "-2h"],
    "no journal": ["--journal", "{out}.none", "--format", "csv"],
    "another file": ["--journal", "{out}.text", "--format", "csv"],
    "no place": ["-o", "{out}.text/x"],
    "no file": ["--format", "csv", "-o", "{out}.text/x"],
}
SENTENCES = {
    "later": r"Nothing is kept of simulated-asystole in that time: choose some between \S+ and \S+",
    "nobody": r"Nothing is kept of nobody: check the id, and where \$ECGMON_STATE points to",
    "no id": r"'\.\./x' cannot be a wearer's id: .*",
    "no time": r"'soon' is no time: give one such as .*",
    "exchanged": r"--from -1h is not before --to -2h: exchange them",
    "no journal": r"There is no journal .*none: name the monitor's with --journal",
    "another file": r"The journal .*text cannot be read: file is not a database",
    "no place": r".*text/x cannot be written \(Not a directory\): choose another place .*",
    "no file": r".*text/x cannot be written: Not a directory",
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Export while the monitor runs; gives the outcomes, and where they were written to."""
    folder = tmp_path_factory.mktemp("export")
    env = environment(folder / "home", ECGMON_STATE=folder / "state")
    out = folder / "out"
    (folder / "out.text").write_text("no database at all, and longer than its header would be" * 9)
    with ExitStack() as stack:
        serve = start(*MAIN, "serve", *ANYWHERE, folder=folder / "serve", env=env)
        daemon = stack.enter_context(serve)
        endpoint = daemon.wait_for(r"event=ready ingest=(\S+) publish=\S+")[1]
        send(endpoint, simulate("asystole").record)
        wait_for_the_end(folder / "state" / "journal.db")
        commands = [
            ["export", "--patient", WEARER, *(option.format(out=out) for option in options)]
            for options in WANTED.values()
        ]
        outcomes = ecgmon_each(commands, folder, env)
        assert daemon.end(signal.SIGTERM).code == 0
    return dict(zip(WANTED, outcomes, strict=True)), out


def send(endpoint, record):
    """Send a record as a device would, and wait until all of it is acknowledged."""
    end = len(record.samples)
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.connect(endpoint)
        hello = messages.Hello(wearer=WEARER, stream=STREAM, rate=record.rate, leads=[record.lead])
        socket.send(messages.encode(hello))
        for at in range(0, end, 3600):
            assert socket.poll(PATIENCE_MS)
            socket.recv()
            samples = record.samples[at : at + 3600]
            frame = Frame(7, at, 0, 360_000, record.gain, record.lead, samples)
            socket.send(frame.encode())
        socket.send(messages.encode(messages.Bye(stream=STREAM, end=end)))
        answer: messages.ToDevice | None = None
        while not isinstance(answer, messages.Ack) or answer.next != end:
            assert socket.poll(PATIENCE_MS)
            answer = messages.decode_to_device(socket.recv())


def wait_for_the_end(journal):
    """Wait until the asystole is over, and all before it is written down."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    over = "SELECT 1 FROM journal WHERE message LIKE '%asystole%\"latched\"%'"
    with closing(sqlite3.connect(journal)) as db:
        while not db.execute(over).fetchone():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_the_record_opens_in_wfdb_with_its_annotations(exported):
    outcomes, out = exported
    outcome = outcomes["wfdb"]
    assert (outcome.code, outcome.err) == (0, "")
    found = re.fullmatch(r"(.*)\.hea: 1:12 of lead MLII at 360 Hz\n", outcome.out)
    record = wfdb.rdrecord(found[1])
    assert (record.sig_len, record.fs) == (72 * 360, 360)
    annotations = wfdb.rdann(found[1], "ecgmon")
    raised = [
        sample
        for sample, note in zip(annotations.sample, annotations.aux_note, strict=True)
        if re.match(r"alarm \d+ raised: high asystole, ", note)
    ]
    (at,) = raised
    assert 33 <= at / 360 <= 35
    assert {path.suffix for path in out.iterdir()} == {".hea", ".dat", ".ecgmon"}


def test_the_tables_agree(exported):
    outcomes, out = exported
    assert [(outcomes[name].code, outcomes[name].err) for name in ("csv", "json")] == [(0, "")] * 2
    rows = list(csv.DictReader(io.StringIO(outcomes["csv"].out)))
    (stream,) = json.loads(out.with_suffix(".json").read_text())["streams"]
    assert len(rows) == len(stream["seconds"]) > 42
    for row, second in zip(rows, stream["seconds"], strict=True):
        assert (row["time"], int(row["sample"])) == (second["time"], second["sample"])
        assert (row["state"], row["alarms"]) == (second["state"], second["alarms"])
    active = [int(row["sample"]) // 360 for row in rows if "asystole" in row["alarms"].split()]
    assert active[:9] == list(range(33, 42))


@pytest.mark.parametrize("name", SENTENCES)
def test_an_impossible_export_is_reported_in_a_sentence(exported, name):
    outcome = exported[0][name]
    assert (outcome.code, outcome.out) == (2, "")
    assert re.fullmatch(rf"Error: {SENTENCES[name]}\.\n", outcome.err)
