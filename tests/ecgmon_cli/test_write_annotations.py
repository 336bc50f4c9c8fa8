"""``ecgmon replay --write-annotations``: from frames over real sockets to figures by EC57."""

import json

import pytest
import wfdb

from ecgmon.records.find import find
from ecgmon.records.read import read
from replay.simulator.simulation import simulate
from tests.support.beat_bundles import export_random
from tests.support.beats import offline_beats
from tests.support.subprocesses import ecgmon, environment

FAST = ("--speed", "max", "--no-view")
SCENARIO = ("replay", "--simulate", "premature", "--seed", "3", "--duration", "40", *FAST)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return export_random(tmp_path_factory.mktemp("bundle") / "beats.onnx")


@pytest.mark.thorough
def test_the_file_holds_the_beats_that_the_model_judges(bundle, tmp_path):
    folder = tmp_path / "judged"
    outcome = ecgmon(
        *(*SCENARIO, "--beat-model", bundle, "--write-annotations", folder),
        env=environment(tmp_path),
    )
    assert (outcome.code, outcome.err) == (0, "")
    (file,) = folder.iterdir()
    record = simulate("premature", duration_s=40, seed=3).record
    assert file.name == f"{record.wearer}.ecgmon"
    found = wfdb.rdann(str(file.with_suffix("")), "ecgmon")
    beats = [
        (int(at), mark)
        for at, mark in zip(found.sample, found.symbol, strict=True)
        if mark in "NSVFQ"
    ]
    assert beats == offline_beats(record, bundle)
    assert found.symbol.count("=") > 30


@pytest.mark.thorough
def test_a_record_of_another_rate_from_a_later_second_is_annotated_in_its_own_samples(
    bundle, mitdb, tmp_path
):
    data = {"ECGMON_DATA": mitdb.parent}
    where = ("--beat-model", bundle, "--write-annotations", tmp_path / "judged")
    played = ("replay", "svdb/803", "--from", "10", "--duration", "30", *FAST, *where)
    if not (mitdb.parent / "svdb" / "803.hea").is_file():
        pytest.skip("svdb is not here")
    outcome = ecgmon(*played, env=environment(tmp_path, **data))
    assert (outcome.code, outcome.err) == (0, "")
    found = wfdb.rdann(str(tmp_path / "judged" / "803"), "ecgmon")
    record = read(find("svdb/803", mitdb.parent))
    assert record.rate == 128
    judged = [at for at, mark in zip(found.sample, found.symbol, strict=True) if mark in "NSVFQ"]
    assert 10 * 128 <= min(judged) < max(judged) < 40 * 128
    annotated = record.annotations.samples
    reach = 0.15 * record.rate
    assert all(abs(annotated - at).min() <= reach for at in judged)


@pytest.mark.thorough
def test_two_records_at_once_are_judged_by_ec57(bundle, mitdb_env, tmp_path):
    folder = tmp_path / "judged"
    for record in ("100", "208"):
        outcome = ecgmon(
            *("replay", f"mitdb/{record}", "--duration", "400", *FAST),
            *("--beat-model", bundle, "--write-annotations", folder),
            env=mitdb_env,
        )
        assert (outcome.code, outcome.err) == (0, "")
    outcome = ecgmon(
        *("evaluate", "--protocol", "ec57", "--annotations", folder, "-o", tmp_path),
        env=mitdb_env,
    )
    assert (outcome.code, outcome.err) == (0, "")
    result = json.loads((tmp_path / "ec57" / "judged-ecgmon" / "result.json").read_text())
    assert result["records"] == 2
    rates = result["per_record"]["100"]["heart_rate"]
    assert rates["measurements"] == pytest.approx(400 - 300, abs=2)
    assert rates["rms"] < 2
    page = (tmp_path / "ec57" / "judged-ecgmon" / "README.md").read_text()
    assert "| ventricular couplets |" in page
    assert "## Heart rate" in page


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--write-annotations", "{here}/x", "--loop"), "--loop never ends a record: leave it or"),
        (("--beat-model", "{here}/window.onnx"), "judges windows, not beats"),
        (("--beat-model", "generic"), "judges windows, not beats"),
        (
            ("--beat-model", "{here}/none.onnx"),
            "give a bundle's path or one of 203, atrial, beats,",
        ),
        (
            ("--connect", "tcp://127.0.0.1:1", "--beat-model", "{here}/window.onnx"),
            "--beat-model is for the monitor: with --connect, name the bundle as beats",
        ),
        (("--write-annotations", "{here}/window.onnx/x"), "is a file, not a folder"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_played(tmp_path, options, sentence):
    from tests.support.rig import GENERIC

    (tmp_path / "window.onnx").write_bytes(GENERIC.read_bytes())
    given = (option.replace("{here}", str(tmp_path)) for option in options)
    outcome = ecgmon("replay", "--simulate", "normal", *FAST, *given, env=environment(tmp_path))
    assert outcome.code == 2
    assert sentence in outcome.err
    assert not (tmp_path / "x").exists()
