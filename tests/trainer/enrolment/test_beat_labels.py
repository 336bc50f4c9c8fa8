"""What annotations say of the beats that a detector finds."""

from dataclasses import replace

import numpy as np
import pytest

from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from replay.simulator.simulation import simulate
from trainer.data.rhythms import ABNORMAL_BEAT, ABNORMAL_RHYTHM, NORMAL_BEAT, NORMAL_RHYTHM
from trainer.enrolment.labelled import beat_labels
from trainer.enrolment.signal import take
from trainer.networks.window_networks import BeatNet


@pytest.mark.parametrize(
    ("mark", "label"),
    [
        (0, UNLABELLED),
        (NORMAL_BEAT, NORMAL),
        (NORMAL_RHYTHM, NORMAL),
        (ABNORMAL_BEAT, ABNORMAL),
        (ABNORMAL_RHYTHM, ABNORMAL),
    ],
)
def test_a_beat_has_the_label_of_its_beat_or_rhythm(mark, label):
    signal = take(simulate("normal", seed=2, duration_s=200).record, BeatNet, 190)
    marked = replace(signal, record=replace(signal.record, beats=np.full((200, 60), mark, np.int8)))
    assert set(beat_labels(marked)) == {label}
