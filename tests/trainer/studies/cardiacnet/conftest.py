from dataclasses import replace

import pytest

from replay.simulator.simulation import simulate
from trainer.data.dataset import record_set
from trainer.networks.window_networks import CardiacNet
from trainer.studies.cardiacnet.patient import Patient


@pytest.fixture(scope="session")
def patient():
    record = simulate("premature", seed=5, duration_s=400, wearer="100").record
    return Patient.split(record_set(replace(record, name="mitdb/100"), CardiacNet.geometry, 1), 1)
