import pytest

from replay.simulator.wearer import simulate
from trainer.enrolment.signal import take
from trainer.networks.windows import BeatNet

SECONDS = 200


@pytest.fixture(scope="session")
def record():
    return simulate("premature", seed=3, duration_s=SECONDS + 20).record


@pytest.fixture(scope="session")
def signal(record):
    return take(record, BeatNet, SECONDS)
