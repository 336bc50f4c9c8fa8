"""`ecgmon fleet status`: who owns what, what waits, what is not saved, and what is at risk."""

import asyncio
import json
import time

import msgspec
import pytest

from ecgmon.config import load
from ecgmon.wire import messages
from monitor.fleet import names
from monitor.fleet.alive import ALIVE
from monitor.fleet.fence import Fence, OwnerRecord
from monitor.fleet.fullness import NEARLY_FULL, fleet_fullness, said_of_fullness
from monitor.fleet.joined import join
from monitor.fleet.layout import FleetLayout, prepare
from monitor.fleet.link import FleetError, FleetLink
from monitor.fleet.pinned import PinnedConsumer
from monitor.fleet.portions import Portion
from monitor.fleet.status import read_status
from monitor.fleet.status_risks import risks
from tests.support.nats_server import InitializedFleet
from tests.support.subprocesses import ecgmon, environment


async def publish(link, wearers):
    for number, wearer in enumerate(wearers):
        hello = messages.Hello(wearer=wearer, stream="0000000000000007", rate=360.0, leads=["II"])
        one = Portion(hello, [], number)
        await link.js.publish(names.incoming(wearer), one.encode())


async def say_alive(link, name, owned):
    while True:
        await link.client.publish(
            ALIVE, msgspec.json.encode({"name": name, "owned": owned, "x": 1})
        )
        await link.client.publish(ALIVE, b"\xff no json")
        await asyncio.sleep(0.2)


def own(link, partition, name):
    fence = Fence(link, partition)
    link.run(fence.take(OwnerRecord(name, 1e12)))  # a clock that is wrong by thousands of years
    return fence


def test_owners_lag_and_what_is_not_saved(link):
    for partition in range(4):
        own(link, partition, "one")
    fence = own(link, 2, "two")

    async def read_some():
        await publish(link, [f"w{n}" for n in range(40)])
        consumer = PinnedConsumer(link, 2)
        await consumer.ensure()
        await PinnedConsumer(link, 1).ensure()
        reading = consumer.messages()
        first, _ = await anext(reading), await anext(reading)
        await first.ack()
        await reading.aclose()

    link.run(read_some(), 20)
    link.run(fence.put(names.position_key(2), b"x"))
    alive = link.start(say_alive(link, "two", [2]))
    seen = link.run(read_status(link), 10)
    alive.cancel()
    assert [one.name for one in seen.monitors] == ["two"]
    one, two = seen.partitions[1:3]
    assert (one.owner, one.alive, two.owner, two.alive) == ("one", False, "two", True)
    assert two.uncovered > 0
    assert one.pending > 0
    assert one.lag_s == float("inf")
    assert 0 <= two.owned_s < 5
    assert 0 <= two.states_s < 5
    assert one.states_s is None
    assert seen.partitions[3].pending == 0  # no consumer yet
    words = " ".join(risks(seen))
    assert "Partitions 0, 1, 3 have no owner" in words
    assert "Partition 1 has " in words
    assert "One server alone keeps ecgmon-samples, ecgmon-results, KV_ecgmon-states" in words


def test_nobody_is_alive(link):
    assert "No monitor says that it is alive" in risks(link.run(read_status(link), 10))[0]


def test_streams_that_are_nearly_full_are_told(server):
    link = FleetLink((server.address,), "test")
    prepare(link, FleetLayout(partitions=1, max_gb=1e-4))

    async def fill():
        for number in range(9):
            await link.js.publish(names.rows(0), bytes([number]) * 10_000)

    link.run(fill())
    used = link.run(fleet_fullness(link))
    assert used[names.SAMPLES] == 0
    assert used[names.RESULTS] > NEARLY_FULL
    assert said_of_fullness(used)[0].startswith("ecgmon-results has used 9")
    assert any("ecgmon-results has used" in word for word in risks(link.run(read_status(link), 9)))
    link.close()


def test_an_account_without_a_fleet_and_a_stream_of_somebody_else(server):
    link = FleetLink((server.address,), "test")
    with pytest.raises(FleetError, match="There is no fleet here yet"):
        link.run(read_status(link), 10)
    link.close()


@pytest.mark.thorough
def test_the_command_says_how_it_is_and_ends_with_a_code(link, server, tmp_path):
    env = environment(tmp_path, NO_COLOR="1", COLUMNS="60")
    own(link, 0, "one\x1b[31m")
    shown = ecgmon("fleet", "status", server.address, env=env)
    assert (shown.code, shown.err) == (1, "")
    assert "At risk: No monitor says" in shown.out
    assert "\x1b" not in shown.out
    assert max(map(len, shown.out.splitlines())) <= 60
    as_json = ecgmon("fleet", "status", server.address, "--json", "-", env=env)
    found = json.loads(as_json.out)
    assert [one["partition"] for one in found["partitions"]] == [0, 1, 2, 3]
    assert found["risks"]
    away = ecgmon("fleet", "status", "nats://127.0.0.1:1", env=env)
    assert (away.code, away.out) == (2, "")
    assert "No NATS server answers" in away.err
    assert ecgmon("fleet", "status", env=env).code == 2


@pytest.mark.thorough
def test_a_fleet_of_three_servers_is_well_until_one_is_away(tmp_path):
    with InitializedFleet(tmp_path, 3) as fleet:
        section = load(fleet.config("monitor")).config.fleet
        deadline = time.monotonic() + 20
        while True:
            try:
                link, partitions = join(section)
                break
            except FleetError:  # the servers have not found each other yet
                assert time.monotonic() < deadline
                time.sleep(0.5)
        for partition in range(partitions):
            own(link, partition, "one")
        alive = link.start(say_alive(link, "one", [*range(partitions)]))
        env = environment(tmp_path)
        config = ("--config", fleet.config("viewer"))
        well = ecgmon("fleet", "status", *config, env=env)
        assert (well.code, well.err) == (0, "")
        assert "All is well." in well.out
        assert "3/3" in well.out
        fleet.kill(2)
        while True:
            seen = ecgmon("fleet", "status", *config, env=env)
            if "n2 is behind with ecgmon-samples" in seen.out:
                break
            assert time.monotonic() < deadline + 30, seen
            time.sleep(1)
        assert seen.code == 1
        alive.cancel()
        link.close()
