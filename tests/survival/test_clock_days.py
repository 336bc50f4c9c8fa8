"""The machine's clock is set eight days forward, as after a wrong start: nothing is removed."""

import signal
import time

import pytest

from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient, topics
from replay.simulator.simulation import simulate
from tests.survival.conftest import Playing
from tests.survival.test_clock_steps import Clock
from tests.survival.test_kills import Mortal

DAY_S = 86_400
TIDY_S = 13
"""The monitor removes what is old every 10 s."""


@pytest.mark.slow
def test_eight_days_forward_and_back_remove_nothing(context, tmp_path):
    monitor, clock = Mortal(tmp_path / "monitor"), Clock(tmp_path)
    monitor.folder.mkdir()
    monitor.env |= clock.environment
    captured = monitor.folder / "state" / "captured"

    def retransmit():
        sizes = {path.name: path.stat().st_size for path in captured.glob("*/*")}
        return sizes, len(monitor.journal("window")), len(monitor.journal("opened", "closed"))

    for wearer in ("ann", "bob"):
        with monitor.living() as process:
            process.wait_for("event=ready")
            record = simulate("normal", duration_s=60, wearer=wearer).record
            Playing(context, record, monitor.ingest, float("inf")).to_the_end()
            assert process.end(signal.SIGTERM).code == 0
    before = retransmit()
    assert len(before[0]) == 4
    with monitor.living() as process:
        process.wait_for("event=ready")
        viewer, received = ViewerClient(context, monitor.publish, topics([messages.Alarm])), []
        for step in (8 * DAY_S, 0):
            clock.set(step)
            end = time.monotonic() + TIDY_S
            while time.monotonic() < end:
                viewer.socket.poll(200)
                viewer.keep_alive()
                received += viewer.drain(100)
        viewer.socket.close(linger=0)
        assert process.end(signal.SIGTERM).code == 0
    assert retransmit() == before
    assert [(m.kind, m.state) for m in received if isinstance(m, messages.Alarm)] == [
        ("clock", "raised")
    ]
    steps = [e["text"] for e in monitor.journal("event") if e["event"] == "clock-set"]
    assert steps == [f"the clock was set by {way}691200 s" for way in "+-"]
