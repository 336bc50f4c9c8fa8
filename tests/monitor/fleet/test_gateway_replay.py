"""The device of a replay streams through a gateway."""

import time

import numpy as np
import pytest

from replay.player.device import RecordDevice
from replay.player.schedule import Pace
from replay.simulator.simulation import simulate
from tests.support.gateway_rig import GatewayRig, kept, portions
from tests.support.rig import PATIENCE_S


@pytest.mark.thorough
def test_a_record_is_complete_though_a_server_ends_meanwhile(server, link):
    with GatewayRig(server.address) as rig:
        record = simulate("normal", duration_s=60).record
        device = RecordDevice(record, 0, len(record.samples), Pace(20.0, 0.25))
        device.connect(rig.gateway.ingest, rig.context)
        device.start()
        began = time.monotonic()
        down = up = False
        while not device.finished:
            device.receive()
            device.send_due()
            ran = time.monotonic() - began
            if ran > 1 and not down:
                server.kill()
                down = True
            if ran > 2 and not up:
                server.start()
                up = True
            assert ran < PATIENCE_S
            time.sleep(0.01)
        device.close()
        assert device.publish == "tcp://127.0.0.1:5556"
        found = portions(link, record.wearer)
        np.testing.assert_array_equal(kept(found, record.lead), record.samples)
        assert found[-1].end == len(record.samples)
