"""Monitors of a fleet say of each wearer what one monitor would say, whichever of them dies."""

import contextlib
import signal
import time

import numpy as np
import pytest

from ecgmon.wire import messages
from monitor.fleet import names
from monitor.fleet.commands import FleetCommand, encode
from tests.support.bundles import write_bundle
from tests.support.fleet import (
    FleetWearer,
    comparable,
    first_difference,
    joined,
    monitor,
    publish_all,
    signal_of,
    told_of,
)
from tests.support.rig import Rig

PATIENCE_S = 30
TAKEN_OVER_S = 10
"""Longest time until windows go on, in seconds: twice what is wanted, as others run beside."""
TIMED = {"silent", "lag", "rate"}
JUDGED = {"Window", "Alarm", "Gap", "Closed"}
SCENARIOS = {"ann": "premature", "bob": "lead-off", "cyd": "premature"}


def wearers(seconds=40):
    return [
        FleetWearer(wearer, number, signal_of(scenario, seconds, seed=number))
        for number, (wearer, scenario) in enumerate(SCENARIOS.items(), 7)
    ]


def judged(rows):
    """Return what follows from samples; what time alone shows is of who watches, and when."""
    return [row for row in rows if row["type"] in JUDGED and row.get("kind") not in TIMED]


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
    """Return how many windows of each wearer are told."""
    return {
        wearer: sum(isinstance(m, messages.Window) for m in told)
        for wearer, told in told_of(link).items()
    }


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
        assert first_difference(until_closed(fleet), expected) is None


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
            publish_all(fleet, some, 3)
            while any(windows(fleet)[wearer] < before[wearer] + 2 for wearer in SCENARIOS):
                publish_all(fleet, some, 1)
                time.sleep(0.2)
                assert time.monotonic() - ended < TAKEN_OVER_S, two.written[-3000:]
            publish_all(fleet, some)
            assert first_difference(until_closed(fleet), expected) is None


@pytest.mark.thorough
@pytest.mark.parametrize("seed", [1, 2])
def test_monitors_that_are_killed_again_and_again(tmp_path, server, fleet, seed):
    some, rng = wearers(60), np.random.default_rng(seed)
    expected = told_by_one(tmp_path / "alone", some)
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(monitor(tmp_path, server, name)) for name in ("one", "two")]
        for turn in range(3):
            for _ in range(int(rng.integers(8, 16))):
                publish_all(fleet, some, 1)
                time.sleep(float(rng.uniform(0.2, 0.8)))
            running[turn % 2].end(signal.SIGKILL)
            running[turn % 2] = stack.enter_context(monitor(tmp_path, server, f"new{turn}"))
        publish_all(fleet, some)
        assert first_difference(until_closed(fleet), expected) is None


@pytest.mark.thorough
def test_where_another_model_judges_a_wearer_begins_anew_and_it_is_said(tmp_path, server, fleet):
    (some,) = [FleetWearer("ann", 7, signal_of("premature", 40))]
    other = write_bundle(tmp_path / "other.onnx", history_s=3.0, look_ahead_s=0.5, rate=120)
    with monitor(tmp_path, server, "one") as one:
        publish_all(fleet, [some], 20)
        until(fleet, lambda found: len(found.get("ann", [])) > 15)
        one.end(signal.SIGTERM)
    with monitor(tmp_path, server, "two", ECGMON_MODELS_MODEL=other) as two:
        publish_all(fleet, [some], 20)
        two.wait_for("event=state-refused.*put the same model into service first")
        until(fleet, lambda found: isinstance(found["ann"][-1], messages.Closed))
    told = [m for m in told_of(fleet)["ann"] if isinstance(m, messages.Window)]
    assert told[-1].model != told[0].model
    assert told[-1].first >= 38 * 360


@pytest.mark.thorough
def test_silent_devices_of_an_idle_partition_are_missed_by_the_next_monitor(
    tmp_path, server, fleet
):
    some = FleetWearer("ann", 7, signal_of("premature", 40))
    with monitor(tmp_path, server, "one") as one:
        publish_all(fleet, [some], 10)
        until(fleet, lambda found: len(found.get("ann", [])) > 5)
        one.end(signal.SIGTERM)
    with monitor(tmp_path, server, "two"):
        until(
            fleet,
            lambda found: any(
                isinstance(m, messages.Alarm) and m.kind == "silent" for m in found["ann"]
            ),
        )


@pytest.mark.thorough
def test_a_server_that_is_killed_and_comes_back(tmp_path, server, fleet):
    some = wearers(40)
    expected = told_by_one(tmp_path / "alone", some)
    with monitor(tmp_path, server, "one") as one:
        for _ in range(12):
            publish_all(fleet, some, 1)
            time.sleep(0.3)
        server.kill()
        time.sleep(1.0)
        server.start()
        one.wait_for("event=nats-back")
        deadline = time.monotonic() + PATIENCE_S
        while not fleet.connected:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        publish_all(fleet, some)
        assert first_difference(until_closed(fleet), expected) is None


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
            assert first_difference(until_closed(fleet), expected) is None
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


@pytest.mark.thorough
def test_an_acknowledgement_is_carried_out_once_though_the_owner_is_killed(tmp_path, server, fleet):
    some = [FleetWearer("asystole", 1, signal_of("asystole", 60))]

    def alarms(state):
        return [
            message
            for message in told_of(fleet).get("asystole", [])
            if isinstance(message, messages.Alarm)
            and (message.kind, message.state) == ("asystole", state)
        ]

    with monitor(tmp_path, server, "one") as process:
        publish_all(fleet, some, 40)
        until(fleet, lambda _: alarms("raised"))
        raised = alarms("raised")[0]
        request = messages.Acknowledge(wearer="asystole", alarm=raised.alarm, by="eve")
        ask = FleetCommand(f"{7:016x}-1", request)
        header = {"Nats-Msg-Id": ask.id}
        subject = names.asked("asystole")
        fleet.run(fleet.js.publish(subject, encode(ask), headers=header))
        until(fleet, lambda _: alarms("acknowledged"))
        process.end(signal.SIGKILL)
    with monitor(tmp_path, server, "two"):
        publish_all(fleet, some)
        until(
            fleet,
            lambda found: any(isinstance(m, messages.Closed) for m in found.get("asystole", [])),
        )
    (acknowledged,) = alarms("acknowledged")
    assert (acknowledged.alarm, acknowledged.by) == (raised.alarm, "eve")
    assert [one.alarm for one in alarms("raised")] == [raised.alarm]
