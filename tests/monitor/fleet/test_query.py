"""Viewers see the wearers of a whole fleet as if one monitor had them all."""

import time

import pytest
import zmq

from ecgmon.config.fleet import FleetSection
from ecgmon.wire import messages
from monitor.fleet import query_standing
from monitor.fleet.link import FleetError
from monitor.fleet.query import QuerySettings, QuerySide
from monitor.fleet.query_standing import FleetStanding, ToldMemory
from tests.monitor.fleet.query_rig import Owner, Query
from tests.support import watching
from tests.support.nats_server import NatsServer
from tests.support.watching import STREAM, alarm, opened


def window(wearer, second):
    return messages.Window(
        wearer=wearer,
        stream=STREAM,
        first=360 * second,
        state="signal",
        probability=0.1,
        abnormal=False,
        heart_rate=60.0,
        model="generic",
    )


def closed(wearer):
    return messages.Closed(wearer=wearer, stream=STREAM, end=3600)


def paused(wearer, kind, until, by="eve"):
    return messages.Paused(wearer=wearer, kind=kind, until=until, time=time.time(), by=by)


def published(listener):
    """Return what a listener was told but that its subscription is in force."""
    return [one for one in listener.received if isinstance(one, messages.Published)]


@pytest.fixture
def start(server, link, tmp_path):
    """Start a query side; the fleet of ``link`` is there."""
    return lambda: Query(server.address, tmp_path / "query")


@pytest.fixture
def owners(link):
    return Owner(link, 1), Owner(link, 2)


def test_a_new_viewer_is_told_how_things_stand_and_then_what_happens(start, owners):
    one, two = owners
    raised, seen = alarm("ann", 1), alarm("ann", 1, state="acknowledged")
    over = alarm("ann", 2, "noisy", state="cleared")
    silent = paused("ann", "noisy", time.time() + 600)
    one.say(opened("ann"), window("ann", 0), raised, over, silent, window("ann", 1))
    one.say(seen, watching.link("ann"))
    two.say(opened("ben"), window("ben", 7), paused("ben", "noisy", None))
    two.say(opened("cal"), window("cal", 1), closed("cal"), alarm("cal", 4))
    with start() as query:
        listener = query.listener()
        ann = [opened("ann"), window("ann", 1), watching.link("ann"), seen, silent]
        ben = [opened("ben"), window("ben", 7)]
        assert sorted(published(listener), key=lambda one: one.wearer) == [
            *ann,
            *ben,
            alarm("cal", 4, time=published(listener)[-1].time),
        ]
        news = [window("ann", 2), window("ann", 3), alarm("ann", 1, state="cleared")]
        two.say(window("ben", 8))
        one.say(*news)
        listener.until(messages.Alarm, "ann", state="cleared")
        assert listener.all(messages.Window, "ann")[1:] == news[:2]
        assert listener.all(messages.Window, "ben")[1:] == [window("ben", 8)]
        assert query.listener().states("ann") == {}


def test_what_is_told_twice_is_passed_on_once(start, owners):
    one, _ = owners
    first = [opened("ann"), window("ann", 0), alarm("ann", 1, time=100.0)]
    again = [window("ann", 0), alarm("ann", 1, time=160.0), window("ann", 1)]
    with start() as query:
        listener = query.listener()
        one.say(*first)
        one.say(*again)
        listener.until(messages.Window, "ann", first=360)
        assert published(listener) == [*first, window("ann", 1)]


def test_a_server_that_starts_again_loses_and_repeats_nothing(start, owners, server):
    one, two = owners
    with start() as query:
        listener = query.listener()
        one.say(*(window("ann", second) for second in range(5)))
        listener.until(messages.Window, "ann", first=4 * 360)
        server.kill()
        time.sleep(0.5)
        server.start()
        deadline = time.monotonic() + 20
        while True:
            try:
                one.say(*(window("ann", second) for second in range(5, 10)))
                break
            except FleetError:
                assert time.monotonic() < deadline
        two.say(window("ben", 0))
        listener.until(messages.Window, "ann", first=9 * 360)
        listener.until(messages.Window, "ben")
        assert listener.all(messages.Window, "ann") == [window("ann", s) for s in range(10)]
        assert not listener.all(messages.Dropped, None)


def test_rows_of_the_newest_seconds_alone_are_read_for_the_snapshot(start, owners, monkeypatch):
    monkeypatch.setattr("monitor.fleet.query_feed.RECENT_S", 0.2)
    one, _ = owners
    one.say(opened("ann"), window("ann", 0), opened("ben"))
    time.sleep(0.5)
    one.say(window("ben", 1))
    with start() as query:
        told = published(query.listener())
        assert told == [opened("ann"), opened("ben"), window("ben", 1)]


def test_results_that_are_not_read_any_more_end_the_query_side(start, monkeypatch):
    async def fails(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("monitor.fleet.query_feed.ResultsFeed.run", fails)
    with pytest.raises(ZeroDivisionError):
        start().__enter__()


def test_results_that_are_none_are_passed_over(start, owners, link):
    one, _ = owners
    with start() as query:
        listener = query.listener()
        for data in (b"{}", b"\xff", b'{"type":"subscribed"}', b'{"type":"window"}' * 10):
            link.run(link.js.publish("results.1.rows", data))
        own = messages.Alarm(
            wearer=None,
            stream=None,
            alarm=1,
            kind="disk",
            priority="medium",
            category="technical",
            state="raised",
            at=None,
            time=0.0,
            text="no space",
        )
        one.say(own, window("ann", 0))
        listener.until(messages.Window, "ann")
        assert published(listener) == [window("ann", 0)]
        assert len(listener.received) == 2


def test_the_past_is_told_newest_first_of_one_or_of_all(start, owners):
    one, two = owners
    of_ann = [alarm("ann", number, time=float(number)) for number in range(1, 61)]
    of_ben = [alarm("ben.b", 1, state=state, time=1.0) for state in ("raised", "cleared")]
    one.say(*of_ann[:30])
    two.say(*of_ben, paused("ben.b", "noisy", 5.0))
    one.say(*(window("ann", second) for second in range(3)), *of_ann[30:])
    with start() as query:
        listener = query.listener("alarm/")
        latest = listener.asks(messages.History(wearer=None))
        entries, before = list(latest.entries), latest.before
        while before is not None:
            listener.received.clear()
            page = listener.asks(messages.History(wearer=None, before=before, limit=7))
            assert len(page.entries) <= 7
            entries += page.entries
            before = page.before
        assert len(entries) == 63
        assert [e for e in entries if e.wearer == "ann"] == of_ann[::-1]
        assert [type(e) for e in entries if e.wearer == "ben.b"] == [
            messages.Paused,
            messages.Alarm,
            messages.Alarm,
        ]
        listener.received.clear()
        ben = listener.asks(messages.History(wearer="ben.b", limit=2))
        assert [(type(e), getattr(e, "state", None)) for e in ben.entries] == [
            (messages.Paused, None),
            (messages.Alarm, "cleared"),
        ]
        listener.received.clear()
        assert listener.asks(messages.History(wearer="nobody")).entries == []


def test_the_past_is_found_however_far_back_it_is(start, owners, monkeypatch):
    monkeypatch.setattr("monitor.fleet.query_history.FIRST_REACH", 2)
    one, _ = owners
    first = alarm("ann", 1)
    one.say(first)
    for second in range(40):
        one.say(window("ann", second))
    with start() as query:
        assert query.listener("alarm/").asks(messages.History(wearer="ann")).entries == [first]


def test_no_fleet_has_begun(tmp_path):
    with (
        NatsServer(tmp_path / "nats") as empty,
        pytest.raises(FleetError, match=r"No fleet has begun at nats://.*: start ecgmon gateway"),
    ):
        Query(empty.address, tmp_path / "query").__enter__()


def test_no_server_is_named():
    with zmq.Context() as context:
        side = QuerySide(QuerySettings(FleetSection(), ("ipc://none",)), context)
        with pytest.raises(FleetError, match=r"No NATS server is named: give fleet\.servers"):
            side.start()


def test_what_was_told_is_remembered_for_so_many_messages(monkeypatch):
    monkeypatch.setattr(query_standing, "REMEMBERED", 3)
    memory = ToldMemory()
    assert [memory.new(window("ann", second)) for second in (0, 1, 0, 2)] == [1, 1, 0, 1]
    assert memory.new(window("ann", 3))
    assert memory.new(window("ann", 0))
    assert not memory.new(window("ann", 3))
    assert memory.new(opened("ann"))
    assert memory.new(opened("ann"))


def test_wearers_are_known_up_to_a_number_and_those_who_have_left_make_room(monkeypatch):
    monkeypatch.setattr(query_standing, "MOST_WEARERS", 2)
    standing = FleetStanding()
    for wearer in ("ann", "ben", "cal"):
        standing.apply(opened(wearer))
    assert [one.wearer for one in standing.snapshot()] == ["ann", "ben"]
    standing.apply(closed("ann"))
    standing.apply(opened("cal"))
    assert [one.wearer for one in standing.snapshot()] == ["ben", "cal"]


def test_a_stream_that_has_ended_is_not_told_of_though_its_last_seconds_come_later():
    standing = FleetStanding()
    for message in (closed("ann"), window("ann", 9), watching.link("ann")):
        standing.apply(message)
    assert standing.snapshot() == []
    swap = messages.Swap(wearer="ann", stream=STREAM, first=0, model="own", threshold=0.3)
    for message in (opened("ann"), swap, window("ann", 0)):
        standing.apply(message)
    first, second = standing.snapshot()
    assert (first.model, first.threshold) == ("own", 0.3)
    assert second == window("ann", 0)
