"""Other people in an enrolment of beats: the wearer is none of them."""

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.core.errors import UsageError
from ecgmon.signal.beat_segments import VALUES
from trainer.data import learned_beats
from trainer.data.beats.leads import LeadBeats
from trainer.enrolment.own_beats import others


@pytest.fixture
def read(monkeypatch):
    """Return the names of the records that are read; each has two leads of ten beats."""
    names = []

    def beats_of(people, _folder, *, mixed, **_):
        assert mixed == ()
        for person in people:
            for record in person.records:
                names.append(record)
                for lead in (1, 2):
                    inputs = np.zeros((10, VALUES), np.float32)
                    labels = np.zeros(10, np.int8)
                    at = np.arange(10) * RATE
                    yield person, LeadBeats(record, lead, at, labels, np.ones(10, bool), inputs)

    monkeypatch.setattr(learned_beats, "beats_of", beats_of)
    return names


def test_both_leads_are_rehearsed_and_the_first_ones_judge(read):
    people = others.load("captured/ann/x", None, 1)
    assert {*read} == {*others.REHEARSED, *others.PANEL, "mitdb/202"}
    assert len(people.rehearsal) == 2 * (len(others.REHEARSED) + 1)
    assert [lead.record for lead in people.panel] == [*sorted(others.PANEL)]
    assert {lead.lead for lead in people.panel} == {1}


@pytest.mark.parametrize("wearer", ["mitdb/202", "mitdb/220"])
def test_a_wearer_is_neither_rehearsed_nor_on_the_panel_whichever_the_record(read, wearer):
    others.load(wearer, None, 1)
    own = {"mitdb/201", "mitdb/202"} if wearer == "mitdb/202" else {wearer}
    assert own.isdisjoint(read)


def test_a_full_disk_is_reported(monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")
        yield

    monkeypatch.setattr(learned_beats, "beats_of", full)
    with pytest.raises(UsageError, match=r"No space left on device.*XDG_CACHE_HOME"):
        others.load("ann", None, 1)
