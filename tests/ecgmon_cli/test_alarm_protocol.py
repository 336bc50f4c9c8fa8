"""``ecgmon evaluate --protocol alarms``: real signal in the Challenge's layout, played whole."""

import json
import os
from pathlib import Path

import pytest

from ecgmon.records.converted import converted
from ecgmon.records.find import find
from ecgmon.records.read import read
from tests.support.challenge import write
from tests.support.subprocesses import ecgmon, environment

pytestmark = pytest.mark.thorough
SET = {
    "tachycardia": ("vfdb/426", 900, "Tachycardia", "True alarm"),
    "asystole": ("mitdb/100", 700, "Asystole", "False alarm"),
    "fibrillation": ("cudb/cu01", 304, "Ventricular_Flutter_Fib", "True alarm"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five minutes of real signal before each alarm."""
    made = tmp_path_factory.mktemp("challenge") / "set"
    made.mkdir()
    data = os.environ.get("ECGMON_DATA")
    for name, (record, at_s, kind, said) in SET.items():
        if data is None or not Path(data, f"{record}.hea").is_file():
            pytest.skip(f"{record} is not in $ECGMON_DATA")
        whole = converted(read(find(record)))
        millivolts = whole.millivolts()[round((at_s - 300) * whole.rate) :]
        write(made, name, millivolts, round(whole.rate), kind, said)
    return made


def evaluated(database, home, *also):
    places = ("--out", home / "out", "--work", home / "work", *also)
    command = ("evaluate", "--protocol", "alarms", "--database", database, *places)
    return ecgmon(*command, env=environment(home))


def test_true_and_false_alarms_are_scored_and_kept(folder, tmp_path):
    done = evaluated(folder, tmp_path)
    assert (done.code, done.err) == (0, "")
    result = json.loads((tmp_path / "out/alarms/set/result.json").read_text())
    raised = {name: one["raised"] for name, one in result["per_record"].items()}
    assert raised == {"set/tachycardia": True, "set/asystole": False, "set/fibrillation": True}
    assert result["kinds"]["all"]["score"] == 1
    kept = sorted((tmp_path / "work").rglob("*.ecgmon"))
    before = [file.stat().st_mtime_ns for file in kept]
    assert evaluated(folder, tmp_path).code == 0
    assert len(kept) == 3
    assert [file.stat().st_mtime_ns for file in kept] == before


def test_a_record_that_cannot_be_played_stops_it_or_is_left_out(folder, tmp_path):
    some = tmp_path / "some"
    some.mkdir()
    for file in folder.glob("asystole.*"):
        (some / file.name).write_bytes(file.read_bytes())
    (some / "broken.hea").write_text(
        "broken 1 250 1000\nbroken.mat 16+24 1000/mV 16 0 0 0 0 II\n#Asystole\n#True alarm\n"
    )
    stopped = evaluated(some, tmp_path)
    assert stopped.code != 0
    assert "broken" in stopped.err
    assert "Traceback" not in stopped.err
    done = evaluated(some, tmp_path, "--keep-going")
    assert done.code == 0
    assert "broken" in done.err
