"""kill -9 at any moment of a search: what is found in the end is what an undisturbed one finds."""

import random
import signal
import subprocess
import sys
import time

import optuna
import pytest

from trainer.studies.cardiacnet import claims

SEARCH = """
import sys, time
import numpy as np
from ecgmon.core.labels import ABNORMAL, NORMAL
from trainer.studies.cardiacnet import claims, search
from trainer.studies.cardiacnet.patient import Patient, Score, TrainedPatient

class Stub:
    def __init__(self, quality):
        self.quality, self.trained = quality, TrainedPatient()
    def outcome(self, inputs):
        return np.full(len(inputs), self.quality, dtype=np.float32)

def train(trainees, epoch):
    for each in trainees:
        time.sleep(0.002)
        each.trained.add(1.0, Score(each.quality * epoch / 9, 0.5))

class NoWindows:
    def windows(self, part):
        return np.zeros((3, 1), np.float32), np.zeros(3, bool)

method = search.Method("m", lambda _, setting: Stub(setting["quality"]), train, (1, 3, 9), 3)
patients = {str(n): NoWindows() for n in range(6)}
grid = {"quality": [n / 10 for n in range(1, 10)]}
print("ready", flush=True)
found = search.search(
    method, patients, dict.fromkeys(patients, grid), claims.open_storage(sys.argv[1]),
    lambda name: print(name, flush=True),
)
print({name: (f.setting, f.score) for name, f in found.items()})
"""


def start(url):
    command = [sys.executable, "-c", SEARCH, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own code


def result(process):
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return output.splitlines()[-1]


@pytest.mark.thorough
@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_a_search_killed_at_random_moments_finds_the_same(tmp_path, kills):
    undisturbed = result(start(f"sqlite:///{tmp_path / 'calm.db'}"))
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    chance = random.Random(11)  # noqa: S311 - moments to kill at, nothing secret
    for _ in range(kills):
        process = start(url)
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert result(start(url)) == undisturbed
    names = optuna.get_all_study_names(claims.open_storage(url))
    assert sorted(names) == sorted(f"m/{n}" for n in range(6))


@pytest.mark.slow
def test_two_machines_share_the_patients_out(tmp_path):
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    claims.open_storage(url)  # the tables, once
    both = [start(url) for _ in range(2)]
    first, second = (result(process) for process in both)
    assert first == second
    studies = [
        optuna.load_study(study_name=f"m/{n}", storage=claims.open_storage(url)) for n in range(6)
    ]
    assert all(len(study.trials) == 9 for study in studies)  # nobody's twice
