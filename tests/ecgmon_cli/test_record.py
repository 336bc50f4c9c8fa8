"""``ecgmon replay RECORD``, in a process of its own."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.support.subprocesses import ecgmon

KEYS = set(
    "record patient annotated model threshold look_ahead_s windows classified skipped noisy absent "
    "beat_classes unsettled "
    "scored tp fp tn fn sensitivity ppv balanced_accuracy f1 false_alarms false_alarms_per_hour "
    "latency_ms_p50 latency_ms_p99 samples_sent samples_received gaps trained_on_share alarms "
    "speed interrupted samples_acknowledged samples_resent samples_dropped reconnects "
    "totals".split()
)
FAST = ("--speed", "max", "--no-view")


def figures(*args, env):
    outcome = ecgmon("replay", *args, *FAST, "--json", "-", env=env)
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_all_of_record_203_is_monitored_and_judged_well(mitdb_env, tmp_path):
    path = tmp_path / "result.json"
    outcome = ecgmon("replay", "203", *FAST, "--json", path, env=mitdb_env)
    assert (outcome.code, outcome.err) == (0, "")
    result = json.loads(path.read_text())
    assert set(result) == KEYS
    assert result["totals"] is None  # no model has named its beats
    assert (result["record"], result["patient"], result["annotated"]) == ("mitdb/203", "203", True)
    assert result["samples_sent"] == result["samples_received"] == 650_000
    assert result["samples_acknowledged"] == 650_000
    assert [result[name] for name in ("samples_resent", "samples_dropped", "reconnects")] == [0] * 3
    assert (result["gaps"], result["windows"]) == (0, 1805)
    assert result["model"].startswith("203")
    assert result["classified"] + result["skipped"] == 1805
    assert result["trained_on_share"] == 0
    assert result["balanced_accuracy"] >= 0.90
    assert result["scored"] == sum(result[name] for name in ("tp", "fp", "tn", "fn"))
    assert 1300 < result["scored"] <= 1505  # the five minutes of enrolment are not scored
    assert "1805 of one second" in outcome.out
    assert "650,000 sent, 650,000 received, 0 gaps" in outcome.out
    assert "0 % of them in its training set" in outcome.out


@pytest.mark.thorough
def test_enrolment_minutes_that_are_scored_show_in_the_share(mitdb_env):
    result = figures("203", "--score-from", 0, "--duration", 400, env=mitdb_env)
    assert 0.5 < result["trained_on_share"] < 1


@pytest.mark.thorough
def test_the_first_five_minutes_of_an_enrolled_wearer_are_not_scored(mitdb_env):
    result = figures("203", "--duration", 300, env=mitdb_env)
    assert (result["windows"], result["scored"], result["trained_on_share"]) == (299, 0, None)


@pytest.mark.thorough
def test_the_generic_model_can_be_asked_for(mitdb_env):
    result = figures("203", "--model", "generic", "--duration", 60, env=mitdb_env)
    assert result["model"].startswith("generic")
    assert result["scored"] > 40
    assert result["trained_on_share"] == 0


@pytest.mark.thorough
def test_json_on_stdout_leaves_everything_else_to_stderr(records, env):
    outcome = ecgmon("replay", records / "beats", *FAST, "--json", "-", env=env)
    assert outcome.code == 0
    assert set(json.loads(outcome.out)) == KEYS
    assert "event=opened" in outcome.err
    assert "balanced accuracy" in outcome.err


@pytest.mark.thorough
def test_a_record_without_annotations_plays_unscored(records, env):
    outcome = ecgmon("replay", f"{records / 'plain'}.hea", *FAST, "--json", "-", env=env)
    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out)
    assert (result["annotated"], result["windows"], result["scored"]) == (False, 29, 0)
    assert (result["balanced_accuracy"], result["false_alarms_per_hour"]) == (None, None)
    assert "none: the record has no annotations" in outcome.err


@pytest.mark.thorough
def test_a_record_is_found_in_the_folder_that_data_names(records, env):
    result = figures(f"{records.name}/beats", "--data", records.parent, env=env)
    assert (result["record"], result["windows"]) == (f"{records.name}/beats", 29)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("options", "windows", "samples"),
    [
        (("--duration", 10.5), 10, 3780),
        (("--from", 20, "--duration", 99), 9, 10 * 360),
        (("--from", 29), 0, 360),
    ],
)
def test_a_part_of_a_record_is_played(records, env, options, windows, samples):
    result = figures(records / "beats", *options, env=env)
    assert (result["windows"], result["samples_received"]) == (windows, samples)
    assert result["scored"] <= windows


@pytest.mark.thorough
def test_bursts_and_speeds_change_nothing_but_the_latency(records, env):
    timing = dict.fromkeys(("latency_ms_p50", "latency_ms_p99", "speed"))
    at_once = figures(records / "beats", env=env)
    options = ("--speed", 60, "--burst", 5, "--no-view", "--json", "-")
    outcome = ecgmon("replay", records / "beats", *options, env=env)
    assert outcome.code == 0, outcome.err
    in_bursts = json.loads(outcome.out)
    assert in_bursts["speed"] == 60
    assert in_bursts | timing == at_once | timing
    assert at_once["tp"] > 5


@pytest.mark.thorough
def test_the_journal_holds_the_published_messages(records, env, tmp_path):
    path = tmp_path / "published.db"
    rules = ("--abnormal", "1/1", "--clear-after", 1)
    result = figures(records / "beats", "--journal", path, *rules, env=env)
    with closing(sqlite3.connect(path)) as reader:
        rows = reader.execute("SELECT type, count(*) FROM journal GROUP BY type").fetchall()
    counted = dict(rows)
    assert (counted["opened"], counted["closed"], counted["window"]) == (1, 1, 29)
    assert counted["alarm"] == len(result["alarms"]) > 2
