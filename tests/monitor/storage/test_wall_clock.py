"""Steps of the wall clock: they are noticed, and make nothing older than it is."""

import time
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.wire import messages
from monitor import daemon
from monitor.storage import tidying
from monitor.storage import wall_clock as wall
from monitor.storage.capture import Capture
from monitor.storage.disk_jobs import Batch
from monitor.storage.journal import Journal
from monitor.storage.wall_clock import SETTLED_S, STEP_S, WallClock
from monitor.storage.writer import StorageWriter
from tests.monitor.storage.test_capture import piece
from tests.monitor.storage.test_journal import alarm, journal_messages, window
from tests.support.rig import PATIENCE_S, Rig

DAY_S = 86_400.0
HOUR_S = 3600.0


class Clocks:
    """A wall clock that is set now and then, and one that is not."""

    def __init__(self):
        self.true, self.offset = 2e9, 0.0

    def time(self):
        return self.true + self.offset

    def clock_gettime(self, _):
        return self.true - 1.9e9


@pytest.fixture
def clocks(monkeypatch):
    clocks = Clocks()
    monkeypatch.setattr(wall, "time", clocks)
    return clocks


def test_a_step_is_noticed_once_and_drift_and_sleep_are_none(clocks):
    watched = WallClock()
    for passed_s in (1, 1, 0.5, 2, 8 * HOUR_S):
        clocks.true += passed_s
        clocks.offset += STEP_S / 2
        assert watched.look() is None
    assert not watched.stepped
    clocks.offset += 8 * DAY_S
    event = watched.look()
    assert (event.event, event.text) == ("clock-set", "the clock was set by +691200 s")
    assert watched.stepped
    assert watched.look() is None
    clocks.true += SETTLED_S
    assert watched.look() is None
    assert not watched.stepped


moves = st.lists(
    st.tuples(
        st.floats(1, 3 * DAY_S), st.sampled_from([0, 0, 8 * DAY_S, -8 * DAY_S, -HOUR_S, 20 * DAY_S])
    ),
    max_size=8,
)


@given(moves, st.booleans())
def test_nothing_young_is_ever_too_old(moves, restarts):
    """Not even where the monitor is started again, and knows of steps by the journal alone."""
    clocks, limit_s = Clocks(), 7 * DAY_S
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wall, "time", clocks)
        watched, stamps, steps, settled = WallClock(), [], [], 0.0
        for passed_s, step_s in moves:
            clocks.true += passed_s
            assert watched.look() is None
            stamps.append((clocks.true, clocks.time()))
            if step_s:
                clocks.offset += step_s
                settled = clocks.true + SETTLED_S
                steps.append(watched.look())
            if restarts:
                watched = WallClock(stamps[-1][1], steps)
            cutoff = watched.cutoff(limit_s)
            if clocks.true < settled:
                assert cutoff == float("-inf")
            young = [at for true, at in stamps if clocks.true - true < limit_s - HOUR_S]
            assert all(at >= cutoff for at in young)


def test_what_is_old_goes_where_nothing_was_set(clocks):
    watched = WallClock(clocks.time() - 100)
    assert watched.cutoff(7 * DAY_S) == clocks.time() - 7 * DAY_S


@pytest.mark.parametrize("away_s", [-8 * DAY_S, 8 * DAY_S])
def test_a_clock_that_says_another_day_at_the_start_removes_nothing_for_an_hour(clocks, away_s):
    watched = WallClock(clocks.time() - away_s)
    assert watched.cutoff(7 * DAY_S) == float("-inf")
    clocks.true += SETTLED_S
    assert watched.cutoff(7 * DAY_S) > 0


def test_the_journal_knows_of_steps(tmp_path, clocks, monkeypatch):
    with closing(Journal(tmp_path / "journal.db")) as journal:
        assert journal.wall().cutoff(0.0) == clocks.time()
        first = WallClock()
        clocks.offset += 8 * DAY_S
        monkeypatch.setattr("time.time", clocks.time)
        other = messages.Event(
            wearer=None, stream=None, event="hello", text="by +5 s", time=clocks.time()
        )
        journal.append([first.look(), other])
        journal.commit()
        clocks.true += 2 * SETTLED_S
        journal.append([other])
        journal.commit()
        assert journal.wall().cutoff(DAY_S) == clocks.time() - 9 * DAY_S


def test_a_step_of_eight_days_removes_nothing_that_is_younger(tmp_path, clocks, monkeypatch):
    for name in ("TIDY_S", "RECORDS_S"):
        monkeypatch.setattr(tidying, name, 0.0)
    clocks.true = time.time()
    watched, folder = WallClock(), tmp_path / "captured"
    writer = StorageWriter(
        Journal(tmp_path / "journal.db"), Capture(folder, 1), tmp_path, (7, 30, 7), watched
    )
    writer.start()

    def left(number):
        """Return how many records, windows and alarms are left after another one."""
        job = Batch([window(number), alarm(number, "cleared")], [("ann", piece(0, 9, number))])
        writer.hand_over(job)
        deadline = time.monotonic() + PATIENCE_S
        while job not in writer.take_done():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        writer.hand_over(Batch([]))  # after which it is tidied up
        time.sleep(0.6)
        stored = journal_messages(tmp_path / "journal.db")
        return len(list(folder.glob("*/*.dat"))), len(stored)

    assert left(1) == (1, 2)
    clocks.offset += 8 * DAY_S
    assert watched.look()
    assert left(2) == (2, 4)
    clocks.true += SETTLED_S
    assert left(3) == (3, 6)
    clocks.true += 20 * DAY_S
    assert left(4) == (1, 4)  # the record that grows, and the alarms
    writer.stop(PATIENCE_S)
    writer.close()


def test_a_step_is_alarmed_and_in_the_journal(tmp_path, clocks, monkeypatch):
    monkeypatch.setattr(daemon, "LINK_S", 0.05)
    clocks.true = time.time()  # by which the journal stamps its entries
    with Rig(tmp_path) as rig:
        listener = rig.listener("alarm/", "event/")
        clocks.offset += 8 * DAY_S
        raised = listener.until(messages.Alarm, None, kind="clock")
        assert (raised.state, raised.priority, raised.category) == ("raised", "low", "technical")
        assert "by +691200 s" in raised.text
        clocks.true += SETTLED_S
        listener.until(messages.Alarm, None, kind="clock", state="cleared")
    stored = [m.event for m in journal_messages(rig.journal) if isinstance(m, messages.Event)]
    assert stored == ["clock-set"]
