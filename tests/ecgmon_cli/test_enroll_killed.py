"""``kill -9`` at random points of an enrolment leaves a store that loads."""

import json

import pytest

from ecgmon.models.bundle import Model
from ecgmon.models.store import SERVICE, Store
from tests.support.subprocesses import environment, python

ENROLMENTS = """
import json, os, random, signal, sys, time
from dataclasses import replace
from pathlib import Path

from replay.simulator.simulation import simulate
from trainer.data import noise
from trainer.data.dataset import record_set
from trainer.enrolment import gate, service, sources
from trainer.enrolment.request import EnrolmentRequest, FromRecord
from trainer.networks.window_networks import BeatNet
from trainer.training import window_trainings

record = simulate("premature", duration_s=241).record
prepared = record_set(record, BeatNet.geometry, BeatNet.steps_per_second)
sources.from_record = lambda *_: record
service.load = lambda names, *_: [replace(prepared, record=name) for name in names]
noise.load = lambda *_: []
recipe = window_trainings.TRAININGS["beatnet"]
window_trainings.TRAININGS["beatnet"] = replace(
    recipe, own=3, rehearsal=1, patient=replace(recipe.patient, steps=10)
)
request = EnrolmentRequest("ann", FromRecord("premature"), force=True)

def enrolled(kill_after):
    started = time.monotonic()
    pid = os.fork()
    if not pid:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        service.Enrolment(request).run()
        os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    how = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return {"how": how, "took": time.monotonic() - started}

uninterrupted = enrolled(None)
print(json.dumps(uninterrupted), flush=True)
for seed in range(int(sys.argv[2]), int(sys.argv[1]) + int(sys.argv[2])):
    # Most of the time goes into the fits; every other kill falls into what is written after them.
    least = 0.6 if seed % 2 else 0.0
    share = random.Random(seed).uniform(least, 0.9)
    print(json.dumps(enrolled(share * uninterrupted["took"])), flush=True)
print(json.dumps(enrolled(None)), flush=True)
"""


# The fast one falls into the fits, early enough for any machine.
ROUNDS = [(1, 4), *(pytest.param(12, 12 * r, marks=pytest.mark.slow) for r in range(5))]


@pytest.mark.thorough
@pytest.mark.parametrize(("kills", "seed"), ROUNDS)
def test_an_enrolment_killed_at_any_moment_leaves_a_store_that_loads(tmp_path, kills, seed):
    env = environment(tmp_path, ECGMON_STATE=tmp_path / "state", OMP_NUM_THREADS=1)
    done = python(ENROLMENTS, kills, seed, env=env, patience_s=900)
    assert done.code == 0, done.err
    first, *killed, last = [json.loads(line)["how"] for line in done.out.splitlines()]
    assert (first, last) == (0, 0)
    assert len(killed) == kills
    assert -9 in killed
    store = Store(tmp_path / "state" / "models")
    versions = store.versions("ann")
    assert versions == list(range(1, len(versions) + 1))
    assert 2 <= len(versions) <= 2 + kills
    for version in versions:
        assert Model.load(store.path("ann", version)).card.wearer == "ann"
    served = [
        a["version"]
        for a in json.loads((store.folder / "ann" / SERVICE["window"]).read_bytes())["activations"]
    ]
    assert served == sorted(set(served))
    assert store.in_service("ann") == store.path("ann", versions[-1])
    report, *others = (tmp_path / "state" / "enrolments" / "ann").glob("*.html")
    assert not others
    assert report.stat().st_size > 0
