"""What comes within the time of a tick is processed together; what is stored is told at once."""

import os
import time

import pytest
import zmq

from monitor.ops.pacing import VERDICT_S, Pacing


@pytest.fixture
def pipes():
    """Yield a pacing, and the ends to which samples and what is stored are written."""
    pairs = [os.pipe() for _ in range(2)]
    poller = zmq.Poller()
    for read, _ in pairs:
        poller.register(read, zmq.POLLIN)
    yield Pacing(poller, pairs[1][0]), pairs[0][1], pairs[1]
    for pair in pairs:
        for end in pair:
            os.close(end)


def waited(pacing, publish=lambda: None, *, busy=False):
    began = time.monotonic()
    paused = pacing.wait(publish, busy=busy)
    return time.monotonic() - began, paused


def test_the_first_tick_is_at_once_and_the_next_when_it_is_time(pipes):
    pacing, samples, _ = pipes
    os.write(samples, b"x")
    assert waited(pacing)[0] < VERDICT_S / 2
    seconds, paused = waited(pacing)
    assert VERDICT_S / 2 < seconds < 3 * VERDICT_S
    assert paused


def test_who_has_more_to_do_waits_for_nothing(pipes):
    pacing, samples, _ = pipes
    os.write(samples, b"x")
    waited(pacing)
    seconds, paused = waited(pacing, busy=True)
    assert seconds < VERDICT_S / 2
    assert not paused


def test_what_is_stored_is_published_meanwhile(pipes):
    pacing, samples, (stored, storing) = pipes
    os.write(samples, b"x")
    waited(pacing)
    os.write(storing, b"x")
    published = []

    def publish():
        os.read(stored, 1)
        published.append(time.monotonic())

    began = time.monotonic()
    seconds, _ = waited(pacing, publish)
    assert len(published) == 1
    assert published[0] - began < VERDICT_S / 2
    assert seconds > VERDICT_S / 2
