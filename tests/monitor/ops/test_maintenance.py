"""A job of each second that fails ends neither the monitor nor the other jobs, and is alarmed."""

import errno
import logging
from dataclasses import replace

import pytest

from ecgmon.wire import messages
from monitor import daemon
from monitor.inference.engine import ModelPool
from monitor.network.access import Access
from monitor.ops import prometheus as metrics
from monitor.ops.maintenance import ALARMED, LOGGED, Maintenance
from monitor.sinks.publisher import Publisher
from monitor.sources.ingest import Ingest
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC, Rig

CALM = simulate("normal", duration_s=5).record.samples
JOBS = {
    "keys": (Access, "refresh"),
    "viewers": (Publisher, "forget_silent"),
    "links": (WearerRegistry, "links"),
    "models": (WearerRegistry, "take_up_models"),
    "wearers": (WearerRegistry, "check"),
    "streams": (Ingest, "look_after"),
    "metrics": (metrics.Metrics, "queued"),
}


def no_file(*_):
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize("job", JOBS)
def test_each_job_may_fail_for_itself(tmp_path, monkeypatch, caplog, job):
    monkeypatch.setattr(daemon, "LINK_S", 0.02)
    caplog.set_level(logging.ERROR)
    with Rig(tmp_path) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("ann", 7)
        device.send_all(CALM[:720])
        with monkeypatch.context() as patch:
            patch.setattr(*JOBS[job], no_file)
            raised = listener.until(messages.Alarm, None, kind="upkeep", state="raised")
            assert raised.text.startswith(f"{job}: ")
            device.send_all(CALM[720:], first=720)
            device.until_acked(len(CALM))
            listener.until(messages.Window, "ann", first=720)
        listener.until(messages.Alarm, None, kind="upkeep", state="cleared")
        counted = rig.monitor.metrics.registry.get_sample_value
        assert counted("ecgmon_job_failures_total", {"job": job}) >= ALARMED
    failures = [record for record in caplog.records if "job-failed" in record.getMessage()]
    assert f"job={job} times=1" in failures[0].getMessage()
    assert failures[0].exc_info


def test_a_configuration_that_cannot_be_applied_raises_an_alarm_and_monitoring_goes_on(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(daemon, "LINK_S", 0.02)
    with Rig(tmp_path) as rig:
        listener, device = rig.listener(), rig.device()
        device.greet("ann", 7)
        device.send_all(CALM[:720])
        policy = replace(rig.settings.policy, limits=no_file)
        rig.monitor.reload(replace(rig.settings, policy=policy))
        raised = listener.until(messages.Alarm, None, kind="upkeep", state="raised")
        assert raised.text.startswith("configuration: ")
        device.send_all(CALM[720:], first=720)
        listener.until(messages.Window, "ann", first=720)
        rig.monitor.reload(rig.settings)
        listener.until(messages.Alarm, None, kind="upkeep", state="cleared")


def test_it_is_alarmed_when_it_goes_on_and_logged_now_and_then(caplog):
    counted = []
    upkeep = Maintenance(counted.append)
    done = []

    def job():
        done.append(True)

    for times in range(1, LOGGED + 2):
        assert upkeep.run({"bad": no_file, "good": job}) == []
        assert upkeep.failing == (["bad"] if times >= ALARMED else [])
    assert len(done) == len(counted) == LOGGED + 1
    assert len(caplog.records) == 2
    upkeep.run({"bad": job})
    assert upkeep.failing == []


def test_a_model_that_cannot_be_read_for_want_of_files_is_refused_and_the_old_one_judges():
    models = ModelPool(lambda _: GENERIC)
    judging = models.of(None)
    models._resolve = no_file
    model, refused = models.serving("ann", judging)
    assert model is judging
    assert refused == "The models cannot be read: Too many open files."
