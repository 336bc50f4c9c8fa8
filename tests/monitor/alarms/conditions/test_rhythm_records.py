"""The table of named rhythms on the annotated beats of real people: no model is asked."""

import pytest

from ecgmon.core.alarm_limits import AlarmLimits
from ecgmon.core.labels import AAMI_CLASSES
from ecgmon.records.find import find
from ecgmon.records.read import read
from monitor.alarms.conditions.rhythms import NamedRhythms
from tests.support.named_beats import NamedBeat, push

RUNS = {"203": 21, "207": 3, "208": 7, "213": 4, "223": 7, "233": 6}
"""Annotated runs of three or more ventricular or fusion beats in each record."""
OF_RUNS = {"ventricular-tachycardia", "idioventricular-rhythm", "ventricular-run"}
FLUTTER = "[!]"
"""Ventricular flutter is annotated in waves, which are no beats: nothing reaches across."""


def annotated(mitdb, record):
    """Return the beats and where flutter is."""
    annotations = read(find(str(mitdb / record))).annotations
    annotated_beats, flutter, before = [], [], None
    for at, symbol in zip(annotations.samples.tolist(), annotations.symbols, strict=True):
        if symbol in FLUTTER:
            flutter.append(at)
            before = None
        elif symbol in AAMI_CLASSES:
            annotated_beats.append(
                NamedBeat(at, AAMI_CLASSES[symbol], None if before is None else at - before)
            )
            before = at
    return annotated_beats, flutter


def runs(annotated_beats):
    """Return the first and last index of each run of three or more, by counting alone."""
    found, run = [], []
    for one in [*annotated_beats, NamedBeat(0, "N", None)]:
        if one.rr is None or one.label not in "VF":
            if len(run) >= 3:
                found.append((run[0], run[-1]))
            run = []
        if one.label in "VF":
            run.append(one.at)
    return found


@pytest.mark.parametrize("record", RUNS)
def test_each_annotated_run_has_a_name_and_each_name_a_run(mitdb, record):
    annotated_beats, flutter = annotated(mitdb, record)
    expected = runs(annotated_beats)
    assert len(expected) == RUNS[record]
    changes = [
        change
        for change in push(NamedRhythms(AlarmLimits()), annotated_beats, gaps=flutter)
        if change.kind in OF_RUNS
    ]
    beats = [one.at for one in annotated_beats]

    def over(last):
        """Return when the run is known to be over: at the next beat, after 4 s, or in flutter."""
        after = [at for at in (*beats, *flutter) if at > last]
        return min([last + 4 * 360, *after])

    for _, last in expected:
        active = set()
        for change in changes:
            if change.at <= over(last):
                active ^= {change.kind}
        assert active, f"the run that ends at {last} has no name"
    for change in changes:
        if change.holds:
            assert any(first <= change.at <= over(last) for first, last in expected), change
