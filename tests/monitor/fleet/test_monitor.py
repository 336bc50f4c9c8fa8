"""Monitors of a fleet say of each wearer what one monitor would say, whichever of them dies."""

import signal
import time

import pytest

from ecgmon.wire import messages
from monitor.fleet import names
from tests.support.fleet import (
    FleetWearer,
    comparable,
    joined,
    monitor,
    publish_all,
    signal_of,
    told_of,
)
from tests.support.rig import Rig

PATIENCE_S = 30
JUDGED = {"Window", "Alarm", "Gap", "Closed"}
SCENARIOS = {"ann": "premature", "bob": "lead-off", "cyd": "premature"}


def wearers(seconds=40):
    return [
        FleetWearer(wearer, number, signal_of(scenario, seconds, seed=number))
        for number, (wearer, scenario) in enumerate(SCENARIOS.items(), 7)
    ]


def judged(rows):
    return [row for row in rows if row["type"] in JUDGED]


def told_by_one(folder, some):
    """Return what one ordinary monitor says of wearers."""
    found = {}
    with Rig(folder) as rig:
        for one in some:
            listener, device = rig.listener(), rig.device()
            device.greet(one.wearer, one.number)
            device.send_all(one.samples, size=90)
            device.finish(len(one.samples))
            listener.until_over(one.wearer)
            about = [m for m in listener.drain() if m.wearer == one.wearer]
            found[one.wearer] = judged(comparable(about))
    return found


def until(link, so):
    """Wait until the results are so, and return them."""
    deadline = time.monotonic() + PATIENCE_S
    while not so(found := told_of(link)):
        assert time.monotonic() < deadline, {w: len(m) for w, m in found.items()}
        time.sleep(0.1)
    return found


def until_closed(link):
    def closed(found):
        return all(
            any(isinstance(m, messages.Closed) for m in found.get(wearer, []))
            for wearer in SCENARIOS
        )

    until(link, closed)
    time.sleep(1.0)  # what comes last, and what must not come
    return {wearer: judged(comparable(told_of(link)[wearer])) for wearer in SCENARIOS}


def windows(link):
    return sum(isinstance(m, messages.Window) for told in told_of(link).values() for m in told)


@pytest.fixture
def fleet(server):
    link = joined(server)
    yield link
    link.close()


@pytest.mark.thorough
def test_one_monitor_of_a_fleet_says_what_one_alone_says(tmp_path, server, fleet):
    some = wearers()
    expected = told_by_one(tmp_path / "alone", some)
    with monitor(tmp_path, server, "one"):
        publish_all(fleet, some)
        assert until_closed(fleet) == expected


@pytest.mark.thorough
@pytest.mark.parametrize("killed", [signal.SIGKILL, signal.SIGTERM])
def test_another_monitor_goes_on_where_one_has_ended(tmp_path, server, fleet, killed):
    some = wearers(60)
    expected = told_by_one(tmp_path / "alone", some)
    with monitor(tmp_path, server, "one") as one:
        publish_all(fleet, some, 1)
        until(fleet, lambda found: set(SCENARIOS) <= set(found))
        with monitor(tmp_path, server, "two") as two:
            for _ in range(24):
                publish_all(fleet, some, 1)
                time.sleep(0.5)
            one.process.send_signal(killed)
            ended, before = time.monotonic(), windows(fleet)
            publish_all(fleet, some, 4)
            while windows(fleet) <= before + 6:
                publish_all(fleet, some, 1)
                time.sleep(0.2)
                assert time.monotonic() - ended < 5.0, two.written[-3000:]
            publish_all(fleet, some)
            assert until_closed(fleet) == expected


@pytest.mark.thorough
def test_who_wakes_after_another_has_taken_over_says_and_saves_nothing(tmp_path, server, fleet):
    some = wearers(60)
    expected = told_by_one(tmp_path / "alone", some)
    with monitor(tmp_path, server, "one") as one:
        publish_all(fleet, some, 1)
        until(fleet, lambda found: set(SCENARIOS) <= set(found))
        with monitor(tmp_path, server, "two") as two:
            for _ in range(24):
                publish_all(fleet, some, 1)
                time.sleep(0.5)
            one.process.send_signal(signal.SIGSTOP)
            for _ in range(30):
                publish_all(fleet, some, 1)
                time.sleep(0.3)
            one.process.send_signal(signal.SIGCONT)
            two.wait_for("event=partition-taken")
            publish_all(fleet, some)
            assert until_closed(fleet) == expected
        one.wait_for("event=(pin-lost|partition-fenced|partition-left)")


@pytest.mark.thorough
def test_a_monitor_that_joins_takes_its_share(tmp_path, server, fleet):
    some = [FleetWearer(f"w{n}", n, signal_of("premature", 60, seed=1)) for n in range(12)]
    with monitor(tmp_path, server, "one") as one:
        publish_all(fleet, some, 2)
        deadline = time.monotonic() + PATIENCE_S
        while one.written.count("event=partition-taken") < 4:
            assert time.monotonic() < deadline
            publish_all(fleet, some, 1)
            time.sleep(0.5)
        with monitor(tmp_path, server, "two") as two:
            while two.written.count("event=partition-taken") < 2:
                assert time.monotonic() < deadline, one.written[-2000:] + two.written[-2000:]
                publish_all(fleet, some, 1)
                time.sleep(0.5)
            publish_all(fleet, some)
            until(
                fleet,
                lambda found: all(
                    any(isinstance(m, messages.Closed) for m in found.get(w.wearer, []))
                    for w in some
                ),
            )
    found = told_of(fleet)
    for one_of in some:
        first = [m.first for m in found[one_of.wearer] if isinstance(m, messages.Window)]
        assert first == sorted(set(first))
        assert len(first) >= 55
    assert names.RESULTS
