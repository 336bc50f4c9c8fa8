"""Several sinks of one monitor: what one of them does concerns no other."""

import time

from ecgmon.wire import messages
from monitor import daemon
from monitor.sinks import SINKS
from replay.simulator.simulation import simulate
from tests.support.rig import PATIENCE_S, Rig

CALM = simulate("normal", duration_s=8).record.samples


class Shelf:
    """A sink that keeps what it is given, or fails."""

    def __init__(self):
        self.taken = []
        self.flushed = 0
        self.closed = False
        self.fails = False

    def publish(self, published):
        if self.fails:
            raise OSError("the shelf is full")
        self.taken += published

    def flush(self):
        self.flushed += 1

    def close(self):
        self.closed = True
        raise OSError("the shelf cannot be closed")


def test_a_sink_that_fails_is_counted_and_alarmed_and_stops_no_other(tmp_path, monkeypatch, caplog):
    shelf = Shelf()
    monkeypatch.setitem(SINKS, "shelf", "tests.monitor.sinks.test_sinks:open_shelf")
    monkeypatch.setattr(daemon, "LINK_S", 0.02)
    monkeypatch.setattr("tests.monitor.sinks.test_sinks.open_shelf", lambda *_: shelf)
    with Rig(tmp_path, publish=("tcp://127.0.0.1:*", "shelf://here")) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("ann", 7)
        device.send_all(CALM[:720])
        listener.until(messages.Window, "ann", first=0)
        deadline = time.monotonic() + PATIENCE_S
        while not any(isinstance(m, messages.Window) for m in shelf.taken):  # it has its turn, too
            assert time.monotonic() < deadline
            time.sleep(0.005)
        shelf.fails = True
        device.send_all(CALM[720:1440], first=720)
        listener.until(messages.Window, "ann", first=720)
        raised = listener.until(messages.Alarm, None, kind="upkeep", state="raised")
        assert raised.text.startswith("sink-shelf: ")
        shelf.fails = False
        listener.until(messages.Alarm, None, kind="upkeep", state="cleared")
        device.send_all(CALM[1440:2160], first=1440)
        listener.until(messages.Window, "ann", first=1440)
        counted = rig.monitor._metrics.registry.get_sample_value
        assert counted("ecgmon_job_failures_total", {"job": "sink-shelf"}) >= 3
        assert counted("ecgmon_windows_total", {"state": "signal"}) >= 5
        assert not shelf.closed
    assert shelf.closed
    assert shelf.flushed
    windows = [m.first for m in shelf.taken if isinstance(m, messages.Window)]
    assert windows[0] == 0
    assert windows[-1] >= 1440
    assert windows == sorted(set(windows))
    failures = [r for r in caplog.records if "job=sink-shelf" in r.getMessage()]
    assert failures[0].exc_info
    assert [r.getMessage() for r in caplog.records if "not-closed" in r.getMessage()] == [
        "event=not-closed what=Shelf"
    ]


def open_shelf(endpoints, host):
    """Stands in `SINKS` by its name; a test puts its own in place."""
    raise NotImplementedError


def test_a_monitor_without_an_endpoint_for_viewers_announces_none_to_devices(tmp_path, monkeypatch):
    shelf = Shelf()
    monkeypatch.setitem(SINKS, "shelf", "tests.monitor.sinks.test_sinks:open_shelf")
    monkeypatch.setattr("tests.monitor.sinks.test_sinks.open_shelf", lambda *_: shelf)
    with Rig(tmp_path, publish=("shelf://here",)) as rig:
        device = rig.device()
        assert device.greet("ann", 7).publish == ""
        device.send_all(CALM[:1080])
        deadline = time.monotonic() + 30
        while not any(isinstance(m, messages.Window) for m in shelf.taken):
            assert time.monotonic() < deadline
            time.sleep(0.01)
