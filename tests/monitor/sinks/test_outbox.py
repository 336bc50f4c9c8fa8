"""What waits for the disk keeps back what follows about its wearer, and nothing about others."""

from dataclasses import dataclass, field

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.wire import messages
from monitor.ops.maintenance import Maintenance
from monitor.sinks.outbox import Outbox
from monitor.storage.disk_jobs import Batch
from tests.monitor.storage import test_journal as made

WEARERS = ("ann", "ben", "cat")


@dataclass
class Taken:
    """A sink that keeps what it is told."""

    told: list[messages.Published] = field(default_factory=list)

    def publish(self, published):
        self.told += published

    def flush(self):
        pass

    def close(self):
        pass


class Disk:
    """A disk that is as fast as the test says."""

    works = True

    def behind_s(self, now):
        return 0.0


class Viewers:
    """Who is told how things stand."""

    def __init__(self):
        self.shown = []

    def send_snapshot(self, subscriber, notice):
        self.shown.append((subscriber, notice))


def window(number, wearer):
    return msgspec.structs.replace(made.window(number), wearer=wearer)


def alarm(number, wearer):
    return msgspec.structs.replace(made.alarm(number), wearer=wearer)


def outbox():
    sink, viewers = Taken(), Viewers()
    return Outbox({"taken": sink}, viewers, Disk(), Maintenance(lambda name: None)), sink, viewers


def test_an_alarm_waits_and_so_does_what_follows_about_its_wearer_alone():
    box, sink, viewers = outbox()
    before, alarmed = window(0, "ann"), alarm(1, "ann")
    after, other = window(2, "ann"), window(3, "ben")
    batch = Batch([before, alarmed, after, other])
    box.put(batch)
    box.welcome(["viewer"])
    box.send(list)
    assert sink.told == [before, other]
    box.put(Batch([window(4, "ann"), window(5, "ben")]))
    box.send(list)
    assert sink.told == [before, other, window(5, "ben")]
    assert not viewers.shown  # how things stand is not known to last
    box.stored(batch)
    box.send(list)
    assert sink.told[3:] == [alarmed, after, window(4, "ann")]
    assert viewers.shown == [("viewer", [])]


def test_an_answer_waits_for_what_it_is_about():
    box, _, _ = outbox()
    answered = []
    batch = Batch([alarm(0, "ann")], answers=[lambda: answered.append("ann")])
    box.put(batch)
    box.send(list)
    assert not answered
    box.stored(batch)
    box.send(list)
    assert answered == ["ann"]


def test_what_another_wearers_alarm_keeps_back_is_overtaken_by_nothing():
    box, sink, _ = outbox()
    first, second = Batch([alarm(0, "ann")]), Batch([window(1, "ann"), alarm(2, "ben")])
    for batch in (first, second):
        box.put(batch)
    box.stored(first)
    box.send(list)
    box.put(Batch([window(3, "ann")]))
    box.send(list)
    box.stored(second)
    box.send(list)
    assert sink.told == [alarm(0, "ann"), window(1, "ann"), alarm(2, "ben"), window(3, "ann")]


def any_ticks():
    one = st.tuples(st.sampled_from(WEARERS), st.booleans())
    return st.lists(st.tuples(st.lists(one, max_size=6), st.integers(0, 3)), max_size=12)


@given(any_ticks())
def test_each_wearer_is_told_of_in_order_and_of_no_alarm_too_soon(ticks):
    box, sink, _ = outbox()
    number, put, unstored = 0, [], []
    for tick, stored in ticks:
        published = []
        for wearer, urgent in tick:
            published.append(alarm(number, wearer) if urgent else window(number, wearer))
            number += 1
        put += published
        batch = Batch(published)
        unstored.append(batch)
        box.put(batch)
        for _ in range(min(stored, len(unstored))):
            box.stored(unstored.pop(0))
        box.send(list)
        waits = [message for one in unstored for message in one.urgent]
        assert not [message for message in waits if message in sink.told]
        for wearer in WEARERS:
            due = [message for message in put if message.wearer == wearer]
            told = [message for message in sink.told if message.wearer == wearer]
            assert told == due[: len(told)]
            if not any(isinstance(message, messages.Alarm) for message in due):
                assert told == due
        if not waits:
            assert len(sink.told) == len(put)
    for batch in unstored:
        box.stored(batch)
    box.send(list)
    assert sorted(map(repr, sink.told)) == sorted(map(repr, put))
