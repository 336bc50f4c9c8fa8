"""What concerns the monitor as a whole: its own alarms, its figures, and its journal."""

import os
import sqlite3
from contextlib import closing

from prometheus_client import generate_latest

from ecgmon.wire import messages
from monitor.ops.prometheus import Metrics
from monitor.storage.journal import Journal
from monitor.storage.shared_journal import REPLACED, SharedJournalDatabase
from monitor.workers.figures import JoinedFigures, families
from monitor.workers.own_conditions import JoinedAlarms


def states(published):
    return [(m.kind, m.state, m.text) for m in published if isinstance(m, messages.Alarm)]


def test_an_alarm_of_the_monitor_s_own_stands_while_any_process_says_so():
    joined = JoinedAlarms()
    joined.take(1, {"room": "of one"})
    joined.take(2, {"room": "of two"})
    assert states(joined.look()) == [("room", "raised", "of one")]
    joined.take(1, {})
    assert joined.look() == []
    joined.take(2, {})
    assert states(joined.look()) == [("room", "cleared", "of one")]


def test_a_worker_that_has_ended_holds_nothing():
    joined = JoinedAlarms()
    joined.take(1, {"disk": "it fails"})
    joined.look()
    joined.forget(1)
    assert [state for _, state, _ in states(joined.look())] == ["cleared"]


def test_what_is_acknowledged_is_told_to_the_processes():
    joined = JoinedAlarms()
    joined.here.condition("disk-low", True, text="little is free")
    (raised,) = joined.look()
    joined.carry_out(messages.Acknowledge(wearer=None, alarm=raised.alarm, by="nurse"))
    joined.look()
    assert joined.here.acknowledged == {"disk-low"}


def test_an_alarm_from_before_a_restart_is_neither_raised_again_nor_forgotten():
    before, after = JoinedAlarms(), JoinedAlarms()
    before.here.condition("disk-low", True)
    after.restore(before.look())
    after.here.condition("disk-low", True)
    assert after.look() == []
    after.here.condition("disk-low", False)
    assert [state for _, state, _ in states(after.look())] == ["cleared"]


def sample(joined, name, **labels):
    return joined.registry.get_sample_value(name, labels)


def test_figures_are_sums_and_what_was_counted_stays_counted():
    front, one, other = Metrics(), Metrics(), Metrics()
    joined = JoinedFigures(front.registry)
    for metrics, dropped, held in ((one, 3, 5), (other, 4, 7)):
        metrics.dropped(dropped)
        metrics.disk(dropped, held, 0)
    joined.take(1, families(one.registry))
    joined.take(2, families(other.registry))
    assert sample(joined, "ecgmon_viewer_messages_dropped_total") == 7
    assert sample(joined, "ecgmon_samples_held") == 12
    assert sample(joined, "ecgmon_disk_failing_seconds") == 4
    joined.forget(1)
    assert sample(joined, "ecgmon_viewer_messages_dropped_total") == 7
    assert sample(joined, "ecgmon_samples_held") == 7
    assert b"ecgmon_samples_held 7.0" in generate_latest(joined.registry)


def window(wearer):
    return messages.Window(
        wearer=wearer,
        stream="00" * 8,
        first=0,
        state="absent",
        probability=None,
        abnormal=None,
        heart_rate=None,
        model="none",
    )


def wearers(path):
    with closing(sqlite3.connect(path)) as db:
        return [wearer for (wearer,) in db.execute("SELECT wearer FROM journal ORDER BY id")]


def test_processes_write_one_journal_and_go_on_with_one_that_another_has_replaced(tmp_path):
    path = tmp_path / "journal.db"
    first = SharedJournalDatabase(path)
    one = Journal(path, first)
    other = Journal(path, SharedJournalDatabase(path, os.dup(first.lock)))
    for journal, wearer in ((one, "ann"), (other, "bob")):
        journal.append([window(wearer)])
        journal.commit()
    assert wearers(path) == ["ann", "bob"]
    first._replace("a test says so")
    other.append([window("eve")])
    other.commit()
    assert other.damaged == REPLACED
    assert "damaged" in one.damaged
    assert wearers(path) == ["ann", "bob", "eve"]
    one.append([window("dan")])
    one.commit()
    assert wearers(path) == ["ann", "bob", "eve", "dan"]
    other.close()
    one.close()
