"""Who has lost a partition writes nothing for it, whenever it wakes."""

import pytest

from monitor.fleet import names
from monitor.fleet.fence import Fence, FencedError, OwnerRecord


def owner(link, partition, name):
    fence = Fence(link, partition)
    link.run(fence.take(OwnerRecord(name, 1e9)))
    return fence


def test_a_former_owner_writes_neither_results_nor_states(link):
    former = owner(link, 1, "one")
    link.run(former.publish(names.rows(1), b"a"))
    link.run(former.put(names.state_key(1, "ann"), b"a"))
    owner(link, 1, "two")
    for write in (
        former.publish(names.rows(1), b"b"),
        former.put(names.state_key(1, "ann"), b"b"),
        former.remove(names.state_key(1, "ann")),
    ):
        with pytest.raises(FencedError, match="Partition 1 is another monitor's"):
            link.run(write)
    last = link.run(link.js.get_last_msg(names.RESULTS, names.rows(1)))
    assert last.data == b"a"


def test_an_owner_of_another_partition_is_not_concerned(link):
    one, two = owner(link, 1, "one"), owner(link, 2, "two")
    owner(link, 1, "three")
    link.run(two.publish(names.rows(2), b"a"))
    with pytest.raises(FencedError):
        link.run(one.publish(names.rows(1), b"a"))


def test_a_state_is_removed_by_its_owner(link):
    fence = owner(link, 0, "one")
    key = names.state_key(0, "ann.b")
    link.run(fence.put(key, b"a"))

    async def keys():
        bucket = await link.js.key_value(names.STATES)
        return set(await bucket.keys())

    assert link.run(keys()) == {key, names.owner_key(0)}
    link.run(fence.remove(key))
    assert link.run(keys()) == {names.owner_key(0)}
