import pytest

from replay.simulator.simulation import simulate
from trainer.enrolment.signal import take
from trainer.networks.window_networks import BeatNet

SECONDS = 200


@pytest.fixture(scope="session")
def record():
    return simulate("premature", seed=3, duration_s=SECONDS + 20).record


@pytest.fixture(scope="session")
def signal(record):
    return take(record, BeatNet, SECONDS)
