"""``ecgmon status``, ``alarms`` and ``view``, at a publisher under the test's control."""

import json
import re
import sys
import time

import pytest
import typer

from ecgmon.wire import messages
from ecgmon_cli import alarm_options, alarms, attach, main
from replay.simulator.simulation import simulate
from tests.support.publisher import Publisher
from tests.support.rig import Rig
from tests.support.subprocesses import ECGMON, Outcome, start
from tests.support.watching import alarm, link, opened, window

DISK = alarm(None, 1, "disk", text="no space is left", at=None, stream=None, time=0.0)
ANN = [opened("ann"), window("ann", 61.6), link("ann")]
BEN = [opened("ben"), window("ben", None, "noisy"), link("ben")]


@pytest.fixture
def publisher():
    with Publisher() as publisher:
        yield publisher


@pytest.fixture
def run(publisher, capsys, monkeypatch):
    """Run a command against the publisher."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(command, *rest):
        at = ("--monitor", publisher.endpoint)
        monkeypatch.setattr(sys, "argv", ["ecgmon", command, *rest, *at])
        with pytest.raises(SystemExit) as ended:
            main()
        return Outcome(ended.value.code, *capsys.readouterr())

    return run


def asked(publisher):
    """Return what was asked for."""
    return [publisher.requests.get() for _ in range(publisher.requests.qsize())]


def test_the_status_is_printed_for_people_and_programs(publisher, run):
    paused = messages.Paused(wearer="ben", kind="noisy", until=time.time() + 100, time=0.0)
    low = alarm("ben", 1, "noisy", "low", text="\x1b[2J [red]noise")
    publisher.snapshot = [*ANN, *BEN, low, paused, DISK]
    table, as_json = run("status"), run("status", "--json", "-")
    assert (table.code, table.err) == (0, "")
    lines = [" ".join(line.split()) for line in table.out.splitlines()]
    assert lines[0] == f"{publisher.endpoint}: 2 wearers"
    assert re.fullmatch(r"the monitor: !! \d+d no space is left", lines[1])
    assert lines[2] == "wearer signal HR lag alarm model"
    assert lines[3].startswith("ben noisy -- 0.2 s ! 0:0")
    assert lines[3].endswith("?[2J [red]noise generic")
    assert lines[4] == "ann signal 62 0.2 s generic"
    assert (as_json.code, as_json.err) == (0, "")
    output = json.loads(as_json.out)
    assert output["monitor"]["endpoint"] == publisher.endpoint
    assert output["monitor"]["alarms"][0]["kind"] == "disk"
    ben, ann = output["wearers"]
    assert (ann["wearer"], ann["state"], ann["heart_rate"]) == ("ann", "signal", 61.6)
    assert ann["link"]["lag_s"] == 0.25
    assert (ann["model"], ann["lead"], ann["alarms"]) == ("generic", "MLII", [])
    assert (ben["state"], ben["heart_rate"]) == ("noisy", None)
    assert ben["alarms"][0]["text"] == "\x1b[2J [red]noise"
    assert ben["paused_until"]["noisy"] == pytest.approx(paused.until, abs=1)


def test_the_status_shows_how_alike_the_usual_beat_is(publisher, run):
    publisher.snapshot = [*ANN, *BEN, link("ann", likeness=0.614)]
    _, heading, *lines = run("status").out.splitlines()
    assert "usual beat" in heading
    assert ["0.61" in line for line in lines] == [line.startswith("ann") for line in lines]
    assert json.loads(run("status", "--json", "-").out)["wearers"][0]["link"]["likeness"] == 0.614


@pytest.mark.parametrize(
    ("state", "code"), [("raised", 3), ("latched", 3), ("acknowledged", 0), ("cleared", 0)]
)
def test_a_high_alarm_that_waits_is_an_exit_code(publisher, run, state, code):
    publisher.snapshot = [*ANN, alarm("ann", 1, "asystole", "high", state)]
    outcome = run("status")
    assert (outcome.code, outcome.err) == (code, "")


def test_active_alarms_are_listed(publisher, run):
    publisher.snapshot = [
        *ANN,
        alarm("ann", 2, "asystole", "high", "acknowledged", by="Bo", time=0.0),
        alarm("ben", 2, text="[bold]x\x07"),
        alarm("ben", 3, state="cleared"),
        DISK,
    ]
    everyone, one, as_json, nobody = [
        run("alarms", "list"),
        run("alarms", "list", "ben"),
        run("alarms", "list", "ben", "--json", "-"),
        run("alarms", "list", "cem"),
    ]
    rows = [" ".join(line.split()) for line in everyone.out.splitlines()]
    assert rows[0] == "wearer since priority state alarm"
    assert rows[1].startswith("ann ")
    assert rows[1].endswith(" high acknowledged asystole: asystole it is (Bo)")
    assert rows[2].endswith(" medium raised abnormal: [bold]x?")
    assert rows[3].startswith("the monitor ")
    assert [line.split()[-2:] for line in one.out.splitlines()[1:]] == [["abnormal:", "[bold]x?"]]
    assert [entry["alarm"] for entry in json.loads(as_json.out)] == [2]
    assert (nobody.code, nobody.err) == (
        2,
        "Error: The monitor does not watch cem: it watches ann, ben.\n",
    )


def test_alarms_are_acknowledged_by_name(publisher, run):
    publisher.snapshot = [
        *ANN,
        alarm("ann", 4, "asystole", "high", "latched"),
        alarm("ann", 5, state="acknowledged"),
        alarm("ben", 9),
        DISK,
    ]
    one, every, none, both, calm = [
        run("alarms", "ack", "ann", "--by", "Ann Ö"),
        run("alarms", "ack", "--all", "--by", "x", "--json", "-"),
        run("alarms", "ack"),
        run("alarms", "ack", "ann", "--all"),
        run("alarms", "ack", "ann"),
    ]
    assert (one.code, one.out, one.err) == (0, "ann: asystole acknowledged.\n", "")
    assert {entry["alarm"] for entry in json.loads(every.out)} == {1, 4, 9}
    assert none.code == both.code == 2
    assert none.err == both.err == ("Error: Say whose alarms: name wearers, or give --all.\n")
    assert calm.code == 0
    first, *others = asked(publisher)
    assert first == messages.Acknowledge(wearer="ann", alarm=4, by="Ann Ö")
    assert {(ack.wearer, ack.alarm) for ack in others[:3]} == {("ann", 4), ("ben", 9), (None, 1)}
    assert others[3].by not in ("", "x")


def test_alarms_are_paused_and_sound_again(publisher, run):
    until = time.time() + 100
    publisher.snapshot = [
        *ANN,
        *BEN,
        alarm("ann", 1),
        messages.Paused(wearer="ben", kind="noisy", until=until, time=0.0),
    ]
    pause, kind, nothing, long, rearm, calm = [
        run("alarms", "pause", "ann", "--by", "x"),
        run("alarms", "pause", "ben", "--kind", "lag", "--for", "30", "--by", "x"),
        run("alarms", "pause", "ben"),
        run("alarms", "pause", "ben", "--for", "999999"),
        run("alarms", "rearm", "--all", "--by", "x"),
        run("alarms", "rearm", "ann"),
    ]
    assert pause.out == "ann: abnormal paused for 120 s.\n"
    assert kind.out == "ben: lag paused for 30 s.\n"
    assert (nothing.code, nothing.err) == (
        2,
        "Error: No alarm is active: name a kind to pause with --kind.\n",
    )
    assert long.code == 2
    assert (rearm.code, rearm.out) == (0, "ben: noisy sounds again.\n")
    assert (calm.code, calm.out) == (0, "Nothing is paused.\n")
    assert [(p.wearer, p.kind, p.seconds, p.by) for p in asked(publisher)] == [
        ("ann", "abnormal", 120, "x"),
        ("ben", "lag", 30, "x"),
        ("ben", "noisy", 0, "x"),
    ]


def test_history_comes_in_pages(publisher, run):
    def answer(question):
        newest = 120 if question.before is None else question.before - 1
        numbers = range(newest, max(newest - question.limit, 0), -1)
        wearer = question.wearer or "ben"
        entries = [alarm(wearer, n, state="cleared", time=float(n)) for n in numbers]
        return messages.Past(entries=entries, before=entries[-1].alarm if entries else None)

    publisher.answer = answer
    everything, two = [
        run("alarms", "history", "--last", "1000", "--json", "-"),
        run("alarms", "history", "ann", "cem", "--last", "3"),
    ]
    numbers = [entry["alarm"] for entry in json.loads(everything.out)]
    assert numbers == list(range(120, 0, -1))
    rows = [line.split()[2:] for line in two.out.splitlines()]
    assert [row[0] for row in rows] == ["ann", "cem", "ann"]
    assert rows[0] == "ann !! cleared abnormal: abnormal it is".split()


def test_the_longest_pause_is_that_of_the_wire():
    assert alarms.MOST_S == messages.MAX_PAUSE_S


def test_the_shell_completes_wearers(publisher):
    publisher.snapshot = [*BEN, *ANN]
    context = typer.Context(typer.main.get_command(alarms.app))
    context.params = {"endpoint": publisher.endpoint}
    assert alarm_options._complete(context) == ["ann", "ben"]
    context.params = {"endpoint": "nowhere"}
    assert alarm_options._complete(context) == []


def test_a_refusal_is_one_sentence(publisher, run):
    publisher.snapshot = [*ANN, alarm("ann", 1)]
    publisher.answer = lambda _: messages.Refused(reason="This key only looks on.")
    for outcome in [
        run("alarms", "ack", "ann"),
        run("alarms", "pause", "ann"),
        run("alarms", "history"),
    ]:
        assert (outcome.code, outcome.out, outcome.err) == (
            1,
            "",
            "Error: The monitor refused: This key only looks on.\n",
        )


def test_a_missing_monitor_or_endpoint_is_reported_in_one_sentence(publisher, run, monkeypatch):
    monkeypatch.setattr(attach, "ANSWER_S", 0.2)
    publisher.close()
    for command in (("status",), ("alarms", "ack", "--all")):
        gone = run(*command)
        assert (gone.code, gone.out, gone.err) == (
            1,
            "",
            f"Error: No monitor answers at {publisher.endpoint}: start ecgmon serve, or give the "
            "endpoint where it publishes with --monitor.\n",
        )
    publisher.endpoint = "nowhere"
    wrong = run("status")
    assert wrong.code == 2
    assert wrong.err.startswith("Error: nowhere is no endpoint to connect to")
    assert wrong.err.count("\n") == 1


@pytest.mark.thorough
def test_without_a_terminal_the_view_prints_lines_and_outlives_a_restart(publisher, tmp_path, env):
    publisher.snapshot = [*ANN, alarm("ann", 1)]
    command = (ECGMON, "view", "--monitor", publisher.endpoint)
    with start(*command, folder=tmp_path / "view", env=env) as view:
        view.wait_for("event=opened")
        view.wait_for("event=alarm alarm=1 state=raised")
        publisher.close()
        view.wait_for("event=silent")
        snapshot = [*ANN, alarm("ann", 1), alarm("ann", 2)]
        with Publisher(publisher.endpoint, snapshot):
            view.wait_for("event=live")
            view.wait_for("event=alarm alarm=2")
            outcome = view.end(2)
    assert (outcome.code, outcome.err) == (130, "")
    assert outcome.out.count("event=opened") == outcome.out.count("alarm=1 ") == 1


RENAMED = "--endpoint is now called --monitor.\n"


def test_old_names_are_accepted_and_the_new_one_is_reported(publisher, run, capsys, monkeypatch):
    publisher.snapshot = [*ANN]
    new = run("status")
    assert (new.code, new.err) == (0, "")
    for args, notice in (
        (["status", publisher.endpoint], "ENDPOINT is now called --monitor ENDPOINT.\n"),
        (["alarms", "list", "--endpoint", publisher.endpoint], RENAMED),
        (["alarms", "list", f"--endpoint={publisher.endpoint}"], RENAMED),
    ):
        monkeypatch.setattr(sys, "argv", ["ecgmon", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code, capsys.readouterr().err) == (0, notice)


def test_a_real_monitor_is_watched(tmp_path, run, publisher):
    with Rig(tmp_path / "monitor") as rig:
        publisher.endpoint = rig.monitor.publish  # commands are run against the monitor instead
        assert run("status").out == f"{publisher.endpoint}: 0 wearers\n"
        samples, device = simulate("asystole").record.samples, rig.device()
        device.greet("ann", 1)
        device.send_all(samples)
        device.finish(len(samples))
        assert run("status").code == 3
        listed = json.loads(run("alarms", "list", "--json", "-").out)
        assert (listed[0]["kind"], listed[0]["state"]) == ("asystole", "latched")
        assert run("alarms", "pause", "--all", "--kind", "noisy").code == 0
        assert run("alarms", "ack", "ann", "--by", "Bo").code == 0
        assert run("status").code == 0
        past = json.loads(run("alarms", "history", "ann", "--json", "-").out)
    states = [e["state"] for e in past if e["type"] == "alarm" and e["kind"] == "asystole"]
    assert states[0] == "cleared"
    assert states[-2:] == ["latched", "raised"]
    assert [entry["kind"] for entry in past if entry["type"] == "paused"] == ["noisy"]
