import socket
import threading
import time
import urllib.request

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.errors import UsageError
from ecgmon.wire import messages
from monitor.ops.prometheus import MAX_SCRAPES, Metrics, MetricsServer

IDS = {"wearer": "203", "stream": "00000000000000aa"}


def alarm(number, state, priority="high", wearer="203", kind="asystole"):
    return messages.Alarm(
        wearer=wearer,
        stream=None,
        alarm=number,
        kind=kind,
        priority=priority,
        category="physiological",
        state=state,
        at=None,
        time=0.0,
        text="",
    )


def link(wearer="203", stream="00000000000000aa", **given):
    fields = {"received": 0, "missing": 0, "repeated": 0, "lag_s": 0.25, "drift_ppm": None}
    return messages.Link(wearer=wearer, stream=stream, **(fields | given))


@pytest.fixture
def served():
    metrics = Metrics()
    server = MetricsServer(metrics, "127.0.0.1:0")
    yield metrics, server.address
    server.close()


def scrape(address):
    """Return the metrics by name and labels as Prometheus writes them."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def test_what_the_monitor_does_can_be_scraped(served):
    metrics, address = served
    window = {"first": 0, "probability": None, "abnormal": None, "heart_rate": None, "model": "m"}
    metrics.publish(
        [
            *(messages.Window(**IDS, state="signal", **window) for _ in range(3)),
            messages.Window(**IDS, state="noisy", **window),
            messages.Gap(**IDS, first=0, count=36),
            messages.Gap(**IDS, first=99, count=4),
            link(repeated=5, lag_s=0.5, drift_ppm=12.5),
            link(repeated=7, lag_s=1.5),
            alarm(1, "raised"),
            alarm(2, "raised", "medium", kind="abnormal"),
            alarm(2, "cleared", "medium", kind="abnormal"),
            msgspec.structs.replace(alarm(2, "raised", "medium", kind="abnormal"), count=2),
            alarm(1, "acknowledged"),
        ]
    )
    for seconds in (0.004, 0.3):
        judged = messages.Window(**IDS, state="signal", **(window | {"abnormal": False}))
        metrics.judged([judged, messages.Gap(**IDS, first=0, count=36)], seconds)
    metrics.dropped(4)
    metrics.queued(17)
    metrics.refused("ingest", 1)
    figures = scrape(address)
    assert figures['ecgmon_windows_total{state="signal"}'] == 3
    assert figures['ecgmon_windows_total{state="noisy"}'] == 1
    assert figures["ecgmon_gaps_total"] == 2
    assert figures["ecgmon_missing_samples_total"] == 40
    assert figures["ecgmon_repeated_samples_total"] == 7
    assert figures['ecgmon_lag_seconds{wearer="203"}'] == 1.5
    assert figures['ecgmon_clock_drift_ppm{wearer="203"}'] == 12.5
    assert figures['ecgmon_alarms_raised_total{kind="asystole"}'] == 1
    assert figures['ecgmon_alarms_raised_total{kind="abnormal"}'] == 1, "a burst is one alarm"
    assert figures['ecgmon_alarms_active{priority="high"}'] == 1
    assert figures['ecgmon_alarms_active{priority="low"}'] == 0
    assert figures['ecgmon_alarms_standing{priority="high"}'] == 1, "its name in 0.2.0"
    assert figures['ecgmon_classification_seconds_bucket{le="0.005"}'] == 1
    assert figures['ecgmon_classification_seconds_bucket{le="0.5"}'] == 2
    assert figures["ecgmon_classification_seconds_sum"] == pytest.approx(0.304)
    assert figures["ecgmon_viewer_messages_dropped_total"] == 4
    assert figures["ecgmon_disk_queue_depth"] == 17
    assert figures['ecgmon_refused_total{endpoint="ingest"}'] == 1
    assert figures["process_resident_memory_bytes"] > 1e6


def test_a_wearer_whose_stream_has_closed_has_no_metrics_any_more(served):
    metrics, address = served
    for number in range(200):
        wearer = f"w{number}"
        metrics.publish([link(wearer, drift_ppm=1.0 if number % 2 else None)])
        if number < 199:
            metrics.publish([messages.Closed(wearer=wearer, stream=IDS["stream"], end=0)])
    metrics.publish([messages.Closed(wearer="never", stream=IDS["stream"], end=0)])
    assert {name for name in scrape(address) if "wearer=" in name} == {
        'ecgmon_lag_seconds{wearer="w199"}',
        'ecgmon_clock_drift_ppm{wearer="w199"}',
    }


def test_repeats_of_a_new_stream_are_counted_from_nothing(served):
    metrics, address = served
    metrics.publish([link(repeated=5), link(stream="00000000000000bb", repeated=3)])
    assert scrape(address)["ecgmon_repeated_samples_total"] == 8


def test_alarms_active_before_a_restart_are_not_counted_as_raised_by_it(served):
    metrics, address = served
    metrics.set_active([alarm(4, "raised"), alarm(5, "latched", "low")])
    metrics.publish([alarm(4, "raised"), alarm(5, "cleared", "low")])
    figures = scrape(address)
    assert figures['ecgmon_alarms_active{priority="high"}'] == 1
    assert figures['ecgmon_alarms_active{priority="low"}'] == 0
    assert not any("alarms_raised_total{" in name for name in figures)


states = st.sampled_from(["raised", "acknowledged", "latched", "cleared"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "a", "b"]),
            st.integers(1, 3),
            states,
            st.sampled_from(["high", "medium", "low"]),
        )
    )
)
def test_as_many_alarms_are_active_as_were_not_cleared(changes):
    metrics, active = Metrics(), {}
    for wearer, number, state, priority in changes:
        metrics.publish([alarm(number, state, priority, wearer)])
        active[wearer, number] = priority if state != "cleared" else None
    for priority in ("high", "medium", "low"):
        figures = metrics.registry.get_sample_value("ecgmon_alarms_active", {"priority": priority})
        assert figures == list(active.values()).count(priority)


def test_whoever_does_not_ask_to_the_end_holds_nobody_up(served):
    metrics, address = served
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as silent:
        silent.sendall(b"GET /met")
        before = time.monotonic()
        metrics.queued(1)
        assert scrape(address)["ecgmon_disk_queue_depth"] == 1
        assert time.monotonic() - before < 2


def test_it_ends_with_the_daemon_and_leaves_the_port_free():
    server = MetricsServer(Metrics(), "127.0.0.1:0")
    scrape(server.address)
    server.close()
    with pytest.raises(OSError, match="refused"):
        scrape(server.address)
    assert not any(thread.name == "metrics" for thread in threading.enumerate())
    MetricsServer(Metrics(), server.address).close()


def test_a_port_in_use_is_one_clear_sentence(served):
    _, address = served
    with pytest.raises(UsageError) as error:
        MetricsServer(Metrics(), address)
    assert str(error.value) == (
        f"Metrics cannot be told at {address} (Address already in use): choose another address or "
        "stop what uses it."
    )


@pytest.mark.parametrize("address", ["0.0.0.0:9555", "example.org:80", "9555", "127.0.0.1:x", ""])
def test_metrics_are_served_to_this_machine_only(address):
    with pytest.raises(UsageError, match="so only to this machine"):
        MetricsServer(Metrics(), address)


@pytest.mark.thorough
def test_connections_that_ask_nothing_are_bounded_and_the_next_scrape_is_answered(served):
    _, address = served
    host, port = address.split(":")
    before = threading.active_count()
    idle = [socket.create_connection((host, int(port))) for _ in range(3 * MAX_SCRAPES)]
    ended = 0
    for one in idle[MAX_SCRAPES:]:
        one.settimeout(10)
        ended += one.recv(1) == b""
    assert ended == 2 * MAX_SCRAPES
    assert threading.active_count() - before <= MAX_SCRAPES
    for one in idle:
        one.close()
    deadline = time.monotonic() + 10
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert "ecgmon_gaps_total" in scrape(address)
