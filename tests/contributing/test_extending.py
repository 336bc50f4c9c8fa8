"""Each example of the guide, registered as described there, in running programs."""

import base64
import contextlib
import json
import re
import signal
import socket

import numpy as np
import pytest

from ecgmon.wire import Frame, messages
from replay.simulator.simulation import simulate
from tests.contributing.conftest import PAGE, ROOT, STEPS
from tests.support.subprocesses import ECGMON, PATIENCE_S, ecgmon, ecgmon_each, python, start

PLAY = ("--speed", "max", "--no-view")
STREAM = 7


@pytest.fixture
def serving(env, tmp_path):
    """Start a daemon with further endpoints; gives it and its first two."""
    with contextlib.ExitStack() as stack:

        def serve(ingest=(), publish=()):
            endpoints = [("--ingest", one) for one in ("tcp://127.0.0.1:*", *ingest)]
            endpoints += [("--publish", one) for one in ("tcp://127.0.0.1:*", *publish)]
            command = [ECGMON, "serve", *sum(endpoints, ()), "--journal", tmp_path / "db"]
            daemon = stack.enter_context(start(*command, folder=tmp_path / "daemon", env=env))
            return daemon, *daemon.wait_for(r"event=ready ingest=(\S+) publish=(\S+)").groups()

        yield serve


def table(record, path):
    """Write a record as the CSV format has it."""
    mv = record.millivolts()
    rows = [f"{i / record.rate:.6f},{value:.4f}" for i, value in enumerate(mv)]
    path.write_text("\n".join([f"seconds,{record.lead}", *rows]).replace("nan", "") + "\n")


def test_the_page_has_an_example_of_each_kind_and_links_to_files_that_are_there():
    assert list(STEPS) == [
        "An alarm condition",
        "A recipe",
        "A beat model",
        "A file format",
        "A source",
        "A sink",
    ]
    there = {f"examples/extending/{p.name}" for p in (ROOT / "examples/extending").glob("*.py")}
    assert {step["example"] for step in STEPS.values()} == there | {"trainer/recipes/context.py"}
    for link in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (ROOT / "docs/guide" / link).is_file(), link
    assert sum(step["registry"] is not None for step in STEPS.values()) == 4


@pytest.mark.thorough
def test_a_condition_is_raised_and_cleared_by_a_heart_that_turns_fast(env, tmp_path):
    played = ecgmon("replay", "--simulate", "tachycardia", *PLAY, env=env)
    assert played.code == 0, played.err
    line = r"^00:00:(\d\d)\S+ .* state=(\w+) .* kind=rate-rise text=(.*) by"
    results = re.findall(line, played.out, re.MULTILINE)
    text = '"heart rate rises fast"'
    assert [one[1:] for one in results] == [("raised", text), ("cleared", text)]
    assert 20 < int(results[0][0]) < 30  # the heart turns faster at 20 s


@pytest.mark.thorough
def test_a_csv_record_is_played_and_a_damaged_one_is_refused_in_one_sentence(env, tmp_path):
    record = simulate("bradycardia", seed=1).record
    table(record, tmp_path / "walk.csv")
    (tmp_path / "bad.csv").write_text("seconds,II\n0,0.1\n")
    commands = [("replay", tmp_path / name, *PLAY) for name in ("walk.csv", "bad.csv")]
    played, refused = ecgmon_each(commands, tmp_path, env)
    assert played.code == 0, played.err
    assert "wearer=walk event=opened" in played.out
    assert 'kind=low-rate text="heart rate low: limit 50 beats a minute"' in played.out
    assert refused.code == 2
    assert re.fullmatch(r"Error: .*bad\.csv cannot be read \(.*\): mend .*\.\n", refused.err)


class LineDevice:
    """A device that prints lines into a TCP connection."""

    def __init__(self, endpoint):
        host, _, port = endpoint.removeprefix("lines://").rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        self._answers = self._socket.makefile("rb")

    def say(self, message):
        self._socket.sendall(messages.encode(message) + b"\n")

    def send(self, frame):
        self._socket.sendall(base64.b64encode(frame.encode()) + b"\n")

    def hear(self):
        return messages.decode_to_device(self._answers.readline().rstrip(b"\n"))

    def close(self):
        self._answers.close()
        self._socket.close()


@pytest.mark.thorough
def test_a_source_carries_a_record_and_a_sink_writes_what_the_monitor_finds_in_it(
    serving, env, tmp_path
):
    results = tmp_path / "results.jsonl"
    with socket.create_server(("127.0.0.1", 0)) as free:
        lines = f"lines://127.0.0.1:{free.getsockname()[1]}"
    daemon, ingest, publish = serving([lines], [f"file://{results}"])
    assert ingest.split(",")[1] == lines
    record = simulate("asystole", seed=1).record
    number = messages.stream_id(STREAM)
    rate_mhz = round(record.rate * 1000)
    device = LineDevice(lines)
    with contextlib.closing(device):
        device.say(messages.Heartbeat(stream=number))
        assert "say hello first" in device.hear().reason
        device.say(messages.Hello(wearer="liz", stream=number, rate=record.rate, leads=["II"]))
        welcome = device.hear()
        assert (welcome.next, welcome.publish) == (0, publish)
        acked = 0
        for first in range(0, len(record.samples), 360):
            samples = record.samples[first : first + 360].astype(np.int16)
            device.send(Frame(STREAM, first, 0, rate_mhz, record.gain, "II", samples))
        device.say(messages.Bye(stream=number, end=len(record.samples)))
        while acked < len(record.samples):
            acked = device.hear().next
    # Who comes over the usual source meanwhile is another peer, and served as well.
    command = ("replay", "--simulate", "normal", "--duration", 10, *PLAY)
    other = ecgmon(*command, "--connect", ingest.split(",")[0], env=env)
    assert other.code == 0, other.err
    assert daemon.end(signal.SIGTERM).code == 0
    results = [json.loads(line) for line in results.read_text().splitlines()]
    of_liz = [one for one in results if one.get("wearer") == "liz"]
    windows = [one for one in of_liz if one["type"] == "window"]
    assert len(windows) >= len(record.samples) // 360 - 3
    states = [one["state"] for one in of_liz if one.get("kind") == "asystole"]
    assert states == ["raised", "latched"]
    assert of_liz[-1]["type"] == "closed"
    assert {one.get("wearer") for one in results} > {"liz"}


@pytest.mark.thorough
def test_an_endpoint_that_nobody_opens_is_refused_by_one_sentence_and_one_that_is_added_is_not(
    env, tmp_path
):
    known, unknown = tmp_path / "known.toml", tmp_path / "unknown.toml"
    known.write_text(f'[network]\npublish = ["tcp://127.0.0.1:5556", "file://{tmp_path}/r"]\n')
    unknown.write_text('[network]\ningest = ["lines://127.0.0.1:5557"]\npublish = ["mqtt://a:1"]\n')
    commands = [("config", "check", known), ("config", "check", unknown)]
    good, *refused = ecgmon_each([*commands, ("serve", "--config", unknown)], tmp_path, env)
    assert good.code == 0, good.err
    assert {(one.code, one.err) for one in refused} == {
        (
            2,
            "Error: network.publish cannot be 'mqtt://a:1': endpoints of this monitor begin with "
            "tcp://, ipc:// or file://.\n",
        )
    }


def test_what_is_registered_is_what_its_port_asks_for(env):
    outcome = python(
        "from pkgutil import resolve_name\n"
        "from monitor.sources import SOURCES\n"
        "from monitor.sinks import SINKS\n"
        "from monitor.alarms.conditions import CONDITIONS\n"
        "from monitor.alarms.conditions.base import SignalCondition\n"
        "from monitor.alarms.kinds import KINDS\n"
        "from ecgmon.records.formats import FORMATS\n"
        "assert all(callable(resolve_name(n)) for n in (*SOURCES.values(), *SINKS.values()))\n"
        "assert all(issubclass(c, SignalCondition) and c.kinds for c in CONDITIONS)\n"
        "assert KINDS['rate-rise'].priority == 'medium'\n"
        "assert [s for f in FORMATS for s in f.suffixes][-1] == '.csv'\n",
        env=env,
    )
    assert outcome.code == 0, outcome.err


@pytest.mark.slow
def test_a_recipe_is_trained_into_a_bundle(env, tmp_path, mitdb):
    out = tmp_path / "tiny.onnx"
    sides = ("--training", "100,106", "--validation", "119", "--evaluation", "203")
    trained = ecgmon(
        *("train", "--recipe", "tiny", *sides, "--out", out),
        env=env | {"ECGMON_DATA": str(mitdb.parent)},
    )
    assert trained.code == 0, trained.err
    shown = ecgmon("models", "show", out, env=env)
    assert shown.code == 0, shown.err
    assert "tiny" in shown.out


@pytest.mark.slow
def test_a_beat_model_is_trained_and_judges_a_replay_and_a_monitor(env, tmp_path, mitdb):
    bundle, config = tmp_path / "mine.onnx", tmp_path / "ecgmon.toml"
    env = env | {"ECGMON_DATA": str(mitdb.parent)}
    sides = ("--training", "106,119", "--validation", "223", "--evaluation", "109")
    trained = ecgmon("train", "--recipe", "mine", "--live", *sides, "-o", bundle, env=env)
    assert trained.code == 0, trained.err
    played = ("replay", "mitdb/208", *PLAY, "--from", 60, "--duration", 60)
    judged = ecgmon(*played, "--beat-model", bundle, env=env)
    assert judged.code == 0, judged.err
    totals = r"^all +\d\d"  # of beats by class
    assert re.search(totals, judged.out, re.MULTILINE), judged.out
    config.write_text(f'[models]\nbeats = "{bundle}"\n')
    with start(
        *(ECGMON, "serve", "--config", config, "--journal", tmp_path / "db"),
        *("--ingest", "tcp://127.0.0.1:*", "--publish", "tcp://127.0.0.1:*"),
        folder=tmp_path / "daemon",
        env=env,
    ) as daemon:
        ingest, _ = daemon.wait_for(r"event=ready ingest=(\S+) publish=(\S+)").groups()
        sent = ecgmon(*played, "--connect", ingest, env=env)
        assert sent.code == 0, sent.err
        assert daemon.end(signal.SIGTERM).code == 0
    kept = ("--patient", "208", "--format", "totals", "--journal", tmp_path / "db")
    exported = ecgmon("export", *kept, env=env)
    assert re.search(totals, exported.out, re.MULTILINE), exported.err
