"""One of several monitors has the messages of a partition; when it stops asking, another one."""

import asyncio
import time

import pytest

from ecgmon.wire import messages
from monitor.fleet import names
from monitor.fleet.pinned import EXPIRES_S, PINNED_S, PinnedConsumer
from monitor.fleet.portions import Portion

HELLO = messages.Hello(wearer="ann.b", stream="0000000000000007", rate=360.0, leads=["II"])


def portion(number):
    return Portion(HELLO, [], number)


async def published(link, numbers):
    for number in numbers:
        one = portion(number)
        await link.js.publish(
            names.incoming("ann.b"), one.encode(), headers={"Nats-Msg-Id": one.id}
        )


async def partition_of(link):
    last = await link.js.get_last_msg(names.SAMPLES, names.samples("*", "ann.b"))
    partition, wearer = names.place(last.subject)
    assert wearer == "ann.b"
    return partition


async def reading(consumer, into):
    async for message in consumer.messages():
        if message is not None:
            into.append((time.monotonic(), message))


def numbers(heard):
    return [message.metadata.sequence.stream for _, message in heard]


def test_what_is_published_twice_is_stored_once_and_read_in_order(link):
    async def scenario():
        await published(link, [0, 1, 1, 2, 0])
        consumer = PinnedConsumer(link, await partition_of(link))
        await consumer.ensure()
        heard = []
        task = asyncio.create_task(reading(consumer, heard))
        await asyncio.sleep(0.5)
        await published(link, [3])
        await asyncio.sleep(0.3)
        task.cancel()
        return heard

    heard = link.run(scenario(), 10)
    assert numbers(heard) == [1, 2, 3, 4]


@pytest.mark.thorough
def test_one_is_pinned_until_it_stops_asking_and_then_the_other(link):
    async def scenario():
        await published(link, [0])
        partition = await partition_of(link)
        first, second = PinnedConsumer(link, partition), PinnedConsumer(link, partition)
        await first.ensure()
        heard = [], []
        tasks = [asyncio.create_task(reading(first, heard[0]))]
        await asyncio.sleep(0.3)
        tasks.append(asyncio.create_task(reading(second, heard[1])))
        await published(link, [1, 2])
        await asyncio.sleep(1.5)
        assert first.pin
        assert not second.pin
        assert not heard[1]
        tasks[0].cancel()
        stopped = time.monotonic()
        await asyncio.sleep(EXPIRES_S + 0.2)  # what comes before may still be given to the first
        await published(link, [3])
        while not heard[1]:
            await asyncio.sleep(0.05)
        assert second.pin
        tasks[1].cancel()
        return heard[1][0][0] - stopped, heard

    waited_s, heard = link.run(scenario(), 20)
    assert waited_s < 3 * PINNED_S + 2
    assert numbers(heard[0]) == [1, 2, 3]
    assert numbers(heard[1]) == [4]


def test_who_lets_go_is_followed_at_once(link):
    async def scenario():
        await published(link, [0])
        partition = await partition_of(link)
        first, second = PinnedConsumer(link, partition), PinnedConsumer(link, partition)
        await first.ensure()
        heard = [], []
        task = asyncio.create_task(reading(first, heard[0]))
        await asyncio.sleep(0.3)
        other = asyncio.create_task(reading(second, heard[1]))
        await asyncio.sleep(0.2)
        task.cancel()
        await first.release()
        released = time.monotonic()
        await published(link, [1])
        while not heard[1]:
            await asyncio.sleep(0.02)
        other.cancel()
        return heard[1][0][0] - released

    assert link.run(scenario(), 10) < 1.0


@pytest.mark.thorough
def test_who_has_no_room_keeps_the_pin_and_is_given_little(link):
    async def scenario():
        await published(link, range(100))
        partition = await partition_of(link)
        first, second = PinnedConsumer(link, partition), PinnedConsumer(link, partition)
        await first.ensure()
        heard = [], []

        async def slowly():
            async for message in first.messages(lambda: False):
                if message is not None:
                    heard[0].append((time.monotonic(), message))

        tasks = [asyncio.create_task(slowly())]
        await asyncio.sleep(1.0)
        tasks.append(asyncio.create_task(reading(second, heard[1])))
        await asyncio.sleep(2 * PINNED_S)
        for task in tasks:
            task.cancel()
        return heard

    heard = link.run(scenario(), 10)
    assert 5 <= len(heard[0]) <= 11
    assert not heard[1]
