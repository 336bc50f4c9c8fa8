"""Several sinks of one monitor: what one of them does concerns no other."""

import time

from ecgmon.wire import messages
from monitor import daemon
from monitor.sinks import SINKS
from replay.simulator.simulation import simulate
from tests.support.rig import PATIENCE_S, Rig

CALM = simulate("normal", duration_s=8).record.samples


class FailingSink:
    """A sink that stores what it is given, or fails."""

    def __init__(self):
        self.received = []
        self.flushed = 0
        self.closed = False
        self.fails = False

    def publish(self, published):
        if self.fails:
            raise OSError("the sink is full")
        self.received += published

    def flush(self):
        self.flushed += 1

    def close(self):
        self.closed = True
        raise OSError("the sink cannot be closed")


def test_a_sink_that_fails_is_counted_and_alarmed_and_stops_no_other(tmp_path, monkeypatch, caplog):
    sink = FailingSink()
    monkeypatch.setitem(SINKS, "failing", "tests.monitor.sinks.test_sinks:open_failing")
    monkeypatch.setattr(daemon, "LINK_S", 0.02)
    monkeypatch.setattr("tests.monitor.sinks.test_sinks.open_failing", lambda *_: sink)
    with Rig(tmp_path, publish=("tcp://127.0.0.1:*", "failing://here")) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("ann", 7)
        device.send_all(CALM[:720])
        listener.until(messages.Window, "ann", first=0)
        deadline = time.monotonic() + PATIENCE_S
        # The failing sink is served after the other one.
        while not any(isinstance(m, messages.Window) for m in sink.received):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        sink.fails = True
        device.send_all(CALM[720:1440], first=720)
        listener.until(messages.Window, "ann", first=720)
        raised = listener.until(messages.Alarm, None, kind="upkeep", state="raised")
        assert raised.text.startswith("sink-failing: ")
        sink.fails = False
        listener.until(messages.Alarm, None, kind="upkeep", state="cleared")
        device.send_all(CALM[1440:2160], first=1440)
        listener.until(messages.Window, "ann", first=1440)
        counted = rig.monitor.metrics.registry.get_sample_value
        assert counted("ecgmon_job_failures_total", {"job": "sink-failing"}) >= 3
        assert counted("ecgmon_windows_total", {"state": "signal"}) >= 5
        assert not sink.closed
    assert sink.closed
    assert sink.flushed
    windows = [m.first for m in sink.received if isinstance(m, messages.Window)]
    assert windows[0] == 0
    assert windows[-1] >= 1440
    assert windows == sorted(set(windows))
    failures = [r for r in caplog.records if "job=sink-failing" in r.getMessage()]
    assert failures[0].exc_info
    assert [r.getMessage() for r in caplog.records if "not-closed" in r.getMessage()] == [
        "event=not-closed what=FailingSink"
    ]


def open_failing(endpoints, host):
    """The entry of `SINKS`; each test replaces it with a function of its own."""
    raise NotImplementedError


def test_a_monitor_without_an_endpoint_for_viewers_announces_none_to_devices(tmp_path, monkeypatch):
    sink = FailingSink()
    monkeypatch.setitem(SINKS, "failing", "tests.monitor.sinks.test_sinks:open_failing")
    monkeypatch.setattr("tests.monitor.sinks.test_sinks.open_failing", lambda *_: sink)
    with Rig(tmp_path, publish=("failing://here",)) as rig:
        device = rig.device()
        assert device.greet("ann", 7).publish == ""
        device.send_all(CALM[:1080])
        deadline = time.monotonic() + 30
        while not any(isinstance(m, messages.Window) for m in sink.received):
            assert time.monotonic() < deadline
            time.sleep(0.01)
