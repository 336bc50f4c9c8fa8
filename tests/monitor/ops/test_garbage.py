"""Python looks rarely for circles of unused objects, but looks."""

import gc
import weakref

import pytest

from monitor.ops.garbage import NEW, collect_rarely


class Ring:
    """Refers to itself."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def rarely():
    before = gc.get_threshold()
    collect_rarely()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_used_is_not_looked_at_each_time_and_circles_are_found(rarely):
    gc.collect()
    looks = []
    gc.callbacks.append(lambda phase, _: looks.append(phase))
    try:
        kept = [[] for _ in range(NEW // 2)]
        assert not looks
        rings = [weakref.ref(Ring()) for _ in range(2 * NEW)]
    finally:
        gc.callbacks.pop()
    assert looks
    assert sum(ring() is None for ring in rings) > NEW
    assert len(kept) == NEW // 2


def test_what_was_there_before_is_not_looked_at(rarely):
    gc.unfreeze()
    kept = [[] for _ in range(NEW)]
    gc.disable()
    collect_rarely()
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(kept)
    assert len(gc.get_objects()) < len(kept)
