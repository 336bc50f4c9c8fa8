"""What a viewer asks of the fleet is done once, by whoever owns the partition."""

import asyncio
import contextlib
import time

import pytest

from ecgmon.core.errors import ProtocolError
from ecgmon.wire import messages
from monitor.fleet import names, query_commands
from monitor.fleet.commands import (
    CommandReader,
    FleetCommand,
    decode_command,
    decode_outcome,
    encode,
)
from tests.monitor.fleet.query_rig import Owner, Query
from tests.support.watching import alarm

ID = "00000000000000aa"
ACKNOWLEDGE = messages.Acknowledge(wearer="ann.b", alarm=1, by="eve")


def command(number, request=ACKNOWLEDGE):
    return FleetCommand(f"{ID}-{number}", request)


async def stored(link, *commands):
    """Store commands as a query side does; returns the partition of the last one."""
    for one in commands:
        await link.js.publish(
            names.asked(one.request.wearer), encode(one), headers={"Nats-Msg-Id": one.id}
        )
    last = await link.js.get_last_msg(names.COMMANDS, f"command.*.{names.token('ann.b')}")
    return int(last.subject.split(".")[1])


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


class Desk:
    """Carries out commands of a partition as an owner does, and notes which."""

    def __init__(self, link, partition, last=0, refused=None, owner=None):
        self.done = []
        self._refused = refused
        self._owner = owner
        self._task = link.start(CommandReader(link, partition, last).run(self._act))

    async def _act(self, number, command):
        self.done.append((number, command))
        if self._owner is not None:
            request = command.request
            await self._owner.say_later(
                alarm(request.wearer, request.alarm, state="acknowledged", by=request.by)
            )
        return self._refused

    def stop(self):
        self._task.cancel()
        with contextlib.suppress(BaseException):
            self._task.result(5)


def test_commands_are_carried_out_once_and_in_order_whoever_owns_the_partition(link):
    partition = link.run(stored(link, command(1), command(1), command(2)))
    first = Desk(link, partition)
    link.run(until(lambda: len(first.done) == 2), 15)
    link.run(stored(link, command(2), command(3)))
    link.run(until(lambda: len(first.done) == 3), 15)
    first.stop()
    link.run(stored(link, command(4)))
    last = first.done[1][0]
    second = Desk(link, partition, last)
    link.run(until(lambda: len(second.done) == 2), 15)
    second.stop()
    assert [one.id for _, one in first.done] == [f"{ID}-{n}" for n in (1, 2, 3)]
    assert [one.id for _, one in second.done] == [f"{ID}-{n}" for n in (3, 4)]
    assert [number for number, _ in first.done] == [1, 2, 3]


def test_commands_go_on_when_the_server_has_started_again(link, server):
    partition = link.run(stored(link, command(1)))
    desk = Desk(link, partition)
    link.run(until(lambda: len(desk.done) == 1), 15)
    server.kill()
    server.start()
    link.run(until(lambda: link.connected), 15)
    link.run(stored(link, command(2)))
    link.run(until(lambda: len(desk.done) == 2), 15)
    desk.stop()
    assert [one.id for _, one in desk.done] == [f"{ID}-1", f"{ID}-2"]


def test_what_is_no_command_is_passed_over(link):
    async def nonsense():
        for data in (
            b"",
            b"{}",
            b"\xff",
            b"x" * 5000,
            encode(command(9)).replace(b"ann.b", b"eve"),
        ):
            await link.js.publish(names.asked("ann.b"), data)

    link.run(nonsense())
    desk = Desk(link, link.run(stored(link, command(1))))
    link.run(until(lambda: desk.done), 15)
    desk.stop()
    assert [one.id for _, one in desk.done] == [f"{ID}-1"]


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b'{"id":"x","request":{"type":"acknowledge","wearer":"a","alarm":1,"by":"e"}}',
        b'{"id":"00000000000000aa-1","request":{"type":"history","wearer":"a"}}',
        b'{"id":"00000000000000aa-1","request":{"type":"acknowledge","alarm":1,"by":"e"}}',
        b'{"id":"00000000000000aa-1","request":{"type":"acknowledge","wearer":null,"alarm":1,"by":""}}',
        b'{"id":"00000000000000aa-1","request":{"type":"pause","wearer":"a","kind":"noisy",'
        b'"seconds":9999,"by":"e"}}',
    ],
)
def test_a_command_that_is_not_valid(data):
    with pytest.raises(ProtocolError):
        decode_command("command.1.a", data)


def test_an_outcome_that_is_not_valid():
    with pytest.raises(ProtocolError, match="not valid"):
        decode_outcome(b'{"id":"' + b"f" * 16 + b'"}')


@pytest.fixture
def query(server, link, tmp_path):
    with Query(server.address, tmp_path / "query") as query:
        yield query


def within(condition, seconds=10):
    """Wait until a condition holds; it may do what brings it about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def commands_of(link):
    return link.run(link.js.stream_info(names.COMMANDS)).state.messages


def partition_of(link, wearer):
    """Return a wearer's partition, as the server finds it."""

    async def probed():
        await link.js.publish(names.incoming(wearer), b"")
        last = await link.js.get_last_msg(names.SAMPLES, names.samples("*", wearer))
        return names.place(last.subject)[0]

    return link.run(probed())


def test_an_acknowledgement_makes_one_command_even_if_it_is_repeated(query, link):
    partition = partition_of(link, "ann.b")
    owner = Owner(link, partition)
    owner.say(alarm("ann.b", 1))
    listener = query.listener()
    assert listener.viewer.say(ACKNOWLEDGE)
    assert listener.viewer.say(ACKNOWLEDGE)
    within(lambda: commands_of(link))
    desk = Desk(link, partition, owner=owner)
    seen = listener.until(messages.Alarm, "ann.b", state="acknowledged")
    assert seen.by == "eve"
    within(lambda: [type(m) for m in listener.drain()].count(messages.Done) == 2)
    listener.received.clear()
    assert listener.asks(ACKNOWLEDGE) == messages.Done()  # it is acknowledged by now
    assert commands_of(link) == 1
    assert len(desk.done) == 1
    desk.stop()


def test_what_the_owner_refuses_is_refused_with_its_reason(query, link):
    desk = Desk(link, partition_of(link, "ann.b"), refused="Alarm 1 stands no more: look.")
    answer = query.listener().asks(ACKNOWLEDGE)
    assert answer == messages.Refused(reason="Alarm 1 stands no more: look.", retry_s=None)
    desk.stop()


def test_what_changes_nothing_is_done_all_the_same(query, link):
    desk = Desk(link, partition_of(link, "ann.b"))
    rearm = messages.Pause(wearer="ann.b", kind="noisy", seconds=0, by="eve")
    assert query.listener().asks(rearm) == messages.Done()
    desk.stop()


def test_a_pause_is_done_when_it_is_told(query, link):
    owner = Owner(link, partition_of(link, "ann.b"))
    listener = query.listener()
    assert listener.viewer.say(messages.Pause(wearer="ann.b", kind="noisy", seconds=60, by="eve"))
    within(lambda: commands_of(link))
    until_ = time.time() + 60
    for by in ("bob", "eve"):
        owner.say(messages.Paused(wearer="ann.b", kind="noisy", until=until_, time=0.0, by=by))
    listener.until(messages.Paused, "ann.b", by="eve")
    within(lambda: messages.Done() in listener.drain())


def test_nobody_does_it(query, monkeypatch):
    monkeypatch.setattr(query_commands, "ANSWER_S", 0.2)
    listener = query.listener()
    assert listener.asks(ACKNOWLEDGE).reason == query_commands.NOT_DONE
    listener.received.clear()
    own = messages.Acknowledge(wearer=None, alarm=1, by="eve")
    assert listener.asks(own).reason == query_commands.OWN


def test_a_viewer_is_answered_in_the_order_of_its_requests(query, link, monkeypatch):
    monkeypatch.setattr(query_commands, "ANSWER_S", 1.0)
    listener, other = query.listener("alarm/"), query.listener("alarm/")
    assert listener.viewer.say(ACKNOWLEDGE)
    assert listener.viewer.say(messages.History(wearer=None))
    assert isinstance(other.asks(messages.History(wearer=None)), messages.Past)
    answers = messages.Refused | messages.Past

    def found():
        return [type(one) for one in listener.drain() if isinstance(one, answers)]

    within(lambda: len(found()) == 2)
    assert found() == [messages.Refused, messages.Past]
