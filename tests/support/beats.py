"""The beats that a monitor must publish of a record: the model's verdicts on trainer inputs."""

import numpy as np

from ecgmon.core.constants import RATE
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.beat_kinds import steadied
from ecgmon.records.converted import converted
from ecgmon.signal.beat_segments import AFTER, BEFORE
from ecgmon.signal.offline import feed_of
from ecgmon.wire import messages
from trainer.data.beats.causal_beats import inputs_at


def offline_beats(record, bundle):
    """Return stream index and class of each beat that is judged, of a record without holes."""
    feed = feed_of(converted(record).millivolts())
    beats = np.array([at for at in feed.beats if at + AFTER <= len(record.samples)])
    begins = [0, *feed.begins]
    settled = [
        at - BEFORE >= max((one for one in begins if one < at + AFTER), default=0)
        for at in beats.tolist()
    ]
    model = BeatModel.load(bundle)
    inputs = inputs_at(record, beats)[settled]
    classes = model.card.classes
    called = steadied(inputs, model.probability(inputs), classes).argmax(axis=1)
    return [(at, classes[n]) for at, n in zip(beats[settled].tolist(), called, strict=True)]


def within_signal(beats, output):
    """Return the beats in seconds that the monitor called signal, or has not judged."""
    other = {m.first // RATE for m in output if isinstance(m, messages.Window)} - {
        m.first // RATE for m in output if isinstance(m, messages.Window) and m.state == "signal"
    }
    return [beat for beat in beats if beat[0] // RATE not in other]


def final_beats(output):
    """Return stream index and class of each published beat that was not withdrawn, once."""
    beats = [m for m in output if isinstance(m, messages.Beat)]
    gone = [m.at for m in output if isinstance(m, messages.BeatWithdrawn)]
    at = [beat.at for beat in beats]
    assert at == sorted(set(at)), "a beat came twice or out of order"
    assert len(gone) == len(set(gone)), "a beat was withdrawn twice"
    assert set(gone) <= set(at)
    return [(beat.at, beat.label) for beat in beats if beat.at not in gone]
