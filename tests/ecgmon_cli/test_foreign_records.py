"""Records that other programs wrote, played: what cannot be scored is played all the same."""

import json

import numpy as np
import pytest
import wfdb

from ecgmon.records.formats.wfdb.annotations import Annotation, encode
from replay.simulator.simulation import simulate
from tests.support.subprocesses import ecgmon

FAST = ("--speed", "max", "--no-view", "--model", "generic", "--json", "-")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Thirty seconds in frames of four samples, annotated at 1000 Hz by another annotator."""
    folder = tmp_path_factory.mktemp("foreign")
    record = simulate("premature", duration_s=30).record
    counts = np.rint(record.millivolts() * 200).astype("<i2")
    (folder / "r.dat").write_bytes(counts.tobytes())
    total, frames = int(counts.sum()) % 65536, len(counts) // 4
    (folder / "r.hea").write_text(
        f"r 1 90 {frames} 24:00:00\nr.dat 16x4 0.2(0)/uV 16 0 {counts[0]} {total} 0 ii\n"
    )
    beats = record.annotations
    at = np.round(beats.samples / 0.36).astype(int)
    wfdb.wrann("r", "ecg", at, np.array(beats.symbols), fs=1000, write_dir=str(folder))
    (folder / "r.atr").write_bytes(encode([Annotation(10, 1)])[:-2] + b"\x01")
    return folder


@pytest.mark.thorough
def test_another_annotator_s_beats_score_the_whole_record(folder, env):
    outcome = ecgmon("replay", folder / "r.dat", *FAST, "--annotator", "ecg", env=env)
    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out)
    assert (result["windows"], result["annotated"]) == (29, True)
    assert result["scored"] > 20
    assert result["tp"] + result["fn"] > 2
    assert "rate=360" in outcome.err


@pytest.mark.thorough
def test_damaged_annotations_are_reported_and_the_signal_plays_without_scores(folder, env):
    outcome = ecgmon("replay", folder / "r", *FAST, env=env)
    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out)
    assert (result["windows"], result["annotated"], result["scored"]) == (29, False, 0)
    assert "cannot be read (it is cut off): copy or fetch r.atr again. It is played" in outcome.err
