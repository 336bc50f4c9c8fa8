"""The workers' processes: one that hangs is ended, and those that end are replaced with pauses."""

import signal
import socket
import sys
import time

import pytest

from monitor.workers.crew import (
    ABORT_S,
    FIRST_PAUSE_S,
    HUNG_S,
    LAST_PAUSE_S,
    SETTLED_S,
    START_S,
    Crew,
    CrewMember,
)
from monitor.workers.link import WordLink
from monitor.workers.words import FROM_WORKER
from tests.support.subprocesses import start

SLEEPS = "import signal, time; {}; print('here', flush=True); time.sleep(600)"


@pytest.fixture
def crew():
    """Two workers are wanted; no test lets one be started."""
    crew = Crew(2, lambda link, lock: pytest.fail("a worker is started"), 0)
    yield crew
    for one in crew.members.values():
        one.link.close()


@pytest.fixture
def sleeper(tmp_path, request):
    """A process, for which a test may have a statement to begin with."""
    program = SLEEPS.format(getattr(request, "param", "pass"))
    with start(sys.executable, "-c", program, folder=tmp_path) as process:
        process.wait_for("here")
        yield process.process


def member(crew, number, process, now, *, ready=True):
    """Let a process be a worker that is alive now; returns its end of the link."""
    ours, theirs = socket.socketpair()
    crew.members[number] = CrewMember(
        number, process, WordLink(ours, FROM_WORKER), now, now, ready=ready
    )
    return theirs


def test_a_worker_that_hangs_is_asked_where_and_ends(crew, sleeper):
    with member(crew, 1, sleeper, 0.0):
        crew.look(HUNG_S - 0.1)
        assert sleeper.poll() is None
        crew.look(HUNG_S)
        assert sleeper.wait(10) == -signal.SIGABRT


@pytest.mark.parametrize(
    "sleeper", ["signal.signal(signal.SIGABRT, signal.SIG_IGN)"], indirect=True
)
def test_one_that_does_not_even_end_is_killed(crew, sleeper):
    with member(crew, 1, sleeper, 0.0):
        crew.look(HUNG_S)
        crew.look(HUNG_S + ABORT_S)
        time.sleep(0.05)
        assert sleeper.poll() is None
        crew.look(HUNG_S + 2 * ABORT_S)
        assert sleeper.wait(10) == -signal.SIGKILL


def test_one_that_starts_has_more_time(crew, sleeper):
    with member(crew, 1, sleeper, 0.0, ready=False):
        crew.look(HUNG_S)
        assert crew.members[1].aborted is None
        crew.look(START_S)
        assert sleeper.wait(10) == -signal.SIGABRT


def test_after_each_that_ends_early_the_pause_is_longer_until_one_has_lived(crew, sleeper):
    now, pauses = 0.0, []
    sleeper.kill()
    for number in range(1, 9):
        member(crew, number, sleeper, now).close()
        list(crew.heard())
        (ended,) = crew.take_ended(now)
        assert ended.number == number
        pause = FIRST_PAUSE_S * 2 ** (number - 1)
        pauses.append(min(pause, LAST_PAUSE_S))
        assert crew.start_missing(now + pauses[-1] - 0.01) == []
        assert crew.failing == (number > 1)
        now += pauses[-1]
    with member(crew, 9, sleeper, now):
        crew.members[9].alive = now + SETTLED_S + 1
        crew.look(now + SETTLED_S + 1)
        assert not crew.failing
