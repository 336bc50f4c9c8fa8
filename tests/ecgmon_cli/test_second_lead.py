"""``ecgmon replay --second-lead``, and the alarms protocol, with records of two leads."""

import json

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.records.find import find
from ecgmon.records.read import read
from ecgmon_cli.alarm_truths import _second_lead
from replay.simulator.simulation import simulate
from tests.support.challenge import write
from tests.support.subprocesses import ecgmon, environment
from tests.support.two_leads import spoilt
from trainer.evaluation.alarm_truths.truths import AlarmTruth

FAST = ("--speed", "max", "--no-view", "--model", "generic", "--json", "-")
HEART = simulate("normal", seed=4, duration_s=120).record


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """Two minutes of two leads of one name, of which the first is off from 30 to 60 s."""
    folder = tmp_path_factory.mktemp("two")
    leads = np.stack([spoilt(HEART.samples, "off", 30, 60), -HEART.samples // 2], axis=1)
    (folder / "r.dat").write_bytes(leads.astype("<i2").tobytes())
    lines = (
        f"r.dat 16 {HEART.gain:g}/mV 16 0 {first} {int(sum(lead)) % 65536} 0 ECG"
        for first, lead in zip(leads[0], leads.T.tolist(), strict=True)
    )
    (folder / "r.hea").write_text(f"r 2 {RATE} {len(leads)}\n" + "\n".join(lines) + "\n")
    return folder / "r"


def lines_of(outcome, kind):
    return [line for line in outcome.err.splitlines() if f" kind={kind} " in line]


def test_the_second_lead_is_judged_while_the_first_is_off(record, env):
    alone = ecgmon("replay", record, *FAST, env=env)
    assert alone.code == 0, alone.err
    assert lines_of(alone, "no-signal")
    both = ecgmon("replay", record, *FAST, "--second-lead", 2, env=env)
    assert both.code == 0, both.err
    assert not lines_of(both, "no-signal")
    raised, cleared = lines_of(both, "second-lead")
    assert "lead ECG-2 is judged in place of ECG" in raised
    assert raised.startswith("00:00:31")
    assert "state=cleared" in cleared
    absent = [json.loads(outcome.out)["absent"] for outcome in (alone, both)]
    assert absent[0] > 25
    assert absent[1] <= 1


def test_a_second_lead_that_cannot_be_sent_is_one_sentence(record, env):
    same = ecgmon("replay", record, *FAST, "--second-lead", 1, env=env)
    assert same.code == 2
    assert same.err.strip().endswith("is sent already: give another --second-lead.")
    unknown = ecgmon("replay", record, *FAST, "--second-lead", "V9", env=env)
    assert unknown.code == 2
    assert "has no lead V9" in unknown.err
    simulated = ecgmon("replay", "--simulate", "normal", "--second-lead", 2, env=env)
    assert simulated.code == 2
    assert "A simulated wearer has one lead" in simulated.err


@pytest.mark.thorough
def test_a_lead_that_fades_before_an_alarm_raises_no_asystole_beside_another(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    heart = simulate("normal", seed=6, duration_s=330).record
    faded = spoilt(heart.samples, "faded", 293, 330) / heart.gain
    whole = heart.millivolts()
    write(folder, "alone", faded, RATE, "Asystole", "False alarm")
    write(folder, "beside", faded, RATE, "Asystole", "False alarm", second=-0.6 * whole)
    places = ("--out", tmp_path / "out", "--work", tmp_path / "work")
    command = ("evaluate", "--protocol", "alarms", "--database", folder, *places)
    done = ecgmon(*command, env=environment(tmp_path))
    assert (done.code, done.err) == (0, "")
    result = json.loads((tmp_path / "out/alarms/set/result.json").read_text())
    raised = {name: one["raised"] for name, one in result["per_record"].items()}
    assert raised == {"set/alone": True, "set/beside": False}


def test_a_record_whose_second_lead_cannot_be_sent_is_judged_by_the_first(record):
    found = find(str(record))
    first = read(found)
    for leads in ((), ("1",), ("1", "9"), ("1", "1")):
        truth = AlarmTruth(found, "Asystole", is_true=True, leads=leads)
        assert _second_lead(truth, first) is None
    truth = AlarmTruth(found, "Asystole", is_true=True, leads=("1", "2"))
    assert _second_lead(truth, first).lead == "ECG-2"
