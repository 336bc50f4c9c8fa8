"""Published messages as an annotation file for other programs and our EC57 comparison."""

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgmon.core.constants import RATE, WINDOW
from ecgmon.records.formats.wfdb.annotations import decode, symbol
from ecgmon.wire import messages
from replay.scoring.annotations import PublishedAnnotations
from trainer.evaluation.ec57.comparison import to_marks
from trainer.evaluation.ec57.heart_rate import measured

STREAM = "00000000000000aa"
OF = {"wearer": "ann", "stream": STREAM}
STATES = st.sampled_from(["signal", "noisy", "absent", None])
KINDS = ("couplet", "ventricular-tachycardia")


def beat(at, label="N"):
    return messages.Beat(**OF, at=at, label=label, probability=0.9)


def withdrawn(at):
    return messages.BeatWithdrawn(**OF, at=at)


def window(second, state="signal", rate=60.0):
    return messages.Window(
        **OF,
        first=second * WINDOW,
        state=state,
        probability=None,
        abnormal=None,
        heart_rate=rate if state == "signal" else None,
        model="generic",
    )


def alarm(number, kind, state, at, category="physiological"):
    return messages.Alarm(
        **OF,
        alarm=number,
        kind=kind,
        priority="low",
        category=category,
        state=state,
        at=at,
        time=0.0,
        text=kind,
    )


def written(folder, published, rate=360.0, first=0):
    annotations = PublishedAnnotations()
    for message in published:
        annotations.take(message)
    annotations.write(folder / "ann.ecgmon", rate, first)
    return decode((folder / "ann.ecgmon").read_bytes())


def short(annotations):
    return [(one.sample, symbol(one), one.subtype, one.note) for one in annotations]


def test_a_withdrawn_beat_is_not_there(tmp_path):
    output = [beat(100, "V"), beat(300, "S"), withdrawn(100), beat(600, "F"), beat(800, "Q")]
    assert short(written(tmp_path, output)) == [
        (300, "S", 0, ""),
        (600, "F", 0, ""),
        (800, "Q", 0, ""),
    ]


def test_samples_are_those_of_the_record(tmp_path):
    output = [beat(0), beat(361), beat(720, "V"), window(0)]
    assert [(at, mark) for at, mark, *_ in short(written(tmp_path, output, 128.0, first=1280))] == [
        (1280, "N"),
        (1408, "="),
        (1408, "N"),
        (1536, "V"),
    ]


def test_seconds_without_signal_are_a_shutdown_and_wfdb_reads_it(tmp_path):
    output = [window(0), window(1, "noisy"), window(2, "absent"), window(4)]
    assert [one for one in short(written(tmp_path, output)) if one[1] == "~"] == [
        (360, "~", -1, "no signal"),
        (1440, "~", 0, "signal"),
    ]
    read = wfdb.rdann(str(tmp_path / "ann"), "ecgmon")
    assert read.sample.tolist() == [360, 360, 1440, 1800]
    assert read.symbol == ["=", "~", "~", "="]


def test_alarms_are_rhythm_notes_of_all_that_hold(tmp_path):
    output = [
        alarm(1, "couplet", "raised", 500),
        alarm(2, "ventricular-tachycardia", "raised", 900),
        alarm(2, "ventricular-tachycardia", "raised", 900),  # repeated to a new viewer
        alarm(3, "noisy", "raised", 950, "technical"),
        alarm(1, "couplet", "cleared", 1000),
        alarm(2, "ventricular-tachycardia", "latched", 1500),
        alarm(2, "ventricular-tachycardia", "raised", 2000),
        alarm(2, "ventricular-tachycardia", "acknowledged", 2000),
        alarm(2, "ventricular-tachycardia", "cleared", 2500),
    ]
    assert short(written(tmp_path, output)) == [
        (500, "+", 0, "(couplet"),
        (900, "+", 0, "(couplet,ventricular-tachycardia"),
        (1000, "+", 0, "(ventricular-tachycardia"),
        (1500, "+", 0, "(unnamed"),
        (2000, "+", 0, "(ventricular-tachycardia"),
        (2500, "+", 0, "(unnamed"),
    ]


@st.composite
def streams(draw):
    """Return messages of some seconds, and the beats that were not withdrawn."""
    states = draw(st.lists(STATES, min_size=1, max_size=12))
    output, final_beats = [], {}
    for second, state in enumerate(states):
        for at in sorted(draw(st.sets(st.integers(1, WINDOW - 1), max_size=4))):
            label = draw(st.sampled_from("NSVFQ"))
            output.append(beat(second * WINDOW + at, label))
            if state == "signal":
                final_beats[second * WINDOW + at] = label
            else:
                output.append(withdrawn(second * WINDOW + at))
        if state is not None:
            output.append(window(second, state))
    for number, kind in enumerate(KINDS, 1):
        begin, end = sorted(draw(st.tuples(*[st.integers(0, WINDOW * len(states))] * 2)))
        output += [alarm(number, kind, "raised", begin), alarm(number, kind, "cleared", end)]
    return states, output, final_beats


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("annotations")


@settings(max_examples=60)
@given(stream=streams(), again=st.booleans())
def test_ec57_reads_the_beats_that_were_not_withdrawn_and_every_second_without_signal(
    folder, stream, again
):
    states, output, final_beats = stream
    annotations = written(folder, output + output if again else output)
    stop = WINDOW * len(states)
    found = to_marks(annotations, stop)
    assert dict(zip(found.beats.tolist(), found.classes, strict=True)) == final_beats
    last = max((n for n, state in enumerate(states) if state is not None), default=-1)
    unreadable = {
        second
        for begin, end in found.shutdown
        for second in range(begin // WINDOW, -(-min(end, (last + 1) * WINDOW) // WINDOW))
        if begin < end
    }
    assert unreadable == {n for n, state in enumerate(states[: last + 1]) if state != "signal"}
    seconds = sum(end - begin for begin, end in found.shutdown) / RATE
    trailing = len(states) - 1 - last if last >= 0 and states[last] != "signal" else 0
    assert seconds == pytest.approx(len(unreadable) + trailing)
    rates = [one.sample for one in annotations if measured(one) is not None]
    assert rates == [(n + 1) * WINDOW for n, state in enumerate(states) if state == "signal"]
    assert np.all(np.diff([one.sample for one in annotations]) >= 0)
