"""Learning from any annotator's marks, at the rate of their own file; never from damaged ones."""

import numpy as np
import pytest
import wfdb

from ecgmon.core import labels
from ecgmon.core.errors import RecordError
from replay.simulator.simulation import simulate
from trainer.data.dataset import load
from trainer.data.recipe_data import load_examples
from trainer.enrolment.sources import from_record
from trainer.networks.window_networks import CardiacNet


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A wearer whose beats another annotator marked in milliseconds."""
    data = tmp_path_factory.mktemp("data")
    (data / "own").mkdir()
    record = simulate("premature", duration_s=60).record
    annotations = record.annotations
    written = {"units": ["mV"], "sig_name": ["II"], "fmt": ["16"], "write_dir": str(data / "own")}
    wfdb.wrsamp("r", fs=360, p_signal=record.millivolts()[:, None], **written)
    at = np.round(annotations.samples / 0.36).astype(int)
    wfdb.wrann("r", "ecg", at, np.array(annotations.symbols), fs=1000, write_dir=str(data / "own"))
    wfdb.wrann(
        "r", "atr", annotations.samples, np.array(annotations.symbols), write_dir=str(data / "own")
    )
    return data


def test_training_and_enrolment_take_the_annotator_that_is_named(data):
    names = ["own/r"]
    ecg, atr = (load(names, CardiacNet, data, annotator=name)[0] for name in ("ecg", None))
    assert np.array_equal(ecg.labels, atr.labels)
    assert (ecg.labels == labels.ABNORMAL).sum() > 3
    beats = [load_examples("published", names, data, annotator=name)[0] for name in ("ecg", None)]
    assert len(beats[0]) == len(beats[1]) > 40
    corrected = from_record("own/r", data, 20, "ecg").annotations
    again = from_record("own/r", data, 20).annotations
    assert corrected.symbols == again.symbols
    assert np.abs(corrected.samples - again.samples).max() <= 1


@pytest.mark.parametrize("annotator", ["qrs", "cut"])
def test_nothing_is_learned_from_absent_or_damaged_annotations(data, annotator):
    (data / "own" / "r.cut").write_bytes((data / "own" / "r.ecg").read_bytes()[:-2] + b"\x01")
    for learn in (
        lambda: load(["own/r"], CardiacNet, data, annotator=annotator),
        lambda: load_examples("live", ["own/r"], data, annotator=annotator),
        lambda: from_record("own/r", data, 20, annotator),
    ):
        with pytest.raises(RecordError, match=r"no annotations r\.qrs|is cut off"):
            learn()
