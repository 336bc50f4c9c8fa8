"""A gateway in a thread, devices at its sockets, and what JetStream has of them."""

import itertools
import threading

import numpy as np
import zmq

from ecgmon.config.fleet import FleetSection
from ecgmon.wire import Frame
from monitor.fleet import names
from monitor.fleet.gateway import Gateway
from monitor.fleet.gateway_settings import GatewaySettings
from monitor.fleet.portions import decode
from monitor.network.rate_limits import RateLimit
from monitor.settings import LOOPBACK
from monitor.wearers.policy import WearerPolicy
from tests.support.rig import GENERIC, PATIENCE_S, Wearable


class GatewayRig:
    """A gateway that runs in a thread until the end of the ``with`` block."""

    def __init__(self, address, **policy):
        self.context = zmq.Context()
        settings = GatewaySettings(
            fleet=FleetSection(servers=(address,)),
            policy=WearerPolicy(**{"resolve": lambda _: GENERIC} | policy),
            ingest=LOOPBACK,
            publish=("tcp://127.0.0.1:5556",),
            rates=RateLimit(),
        )
        self.gateway = Gateway(settings, self.context)
        self._devices = []
        self._error = None

    def __enter__(self):
        try:
            self.gateway.start()
        except BaseException:
            self.context.destroy(linger=0)
            raise
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()
        for device in self._devices:
            device.socket.close()
        self.context.destroy(linger=0)
        if self._error is not None:
            raise self._error

    def _run(self):
        try:
            self.gateway.run()
        except BaseException as error:  # noqa: BLE001 - raised again at the end
            self._error = error

    def stop(self):
        self.gateway.stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the gateway does not stop"

    def device(self):
        self._devices.append(Wearable(self.context, self.gateway.ingest))
        return self._devices[-1]


def portions(link, wearer):
    """Return the portions of a wearer that JetStream has, in order."""
    from nats.js.errors import NotFoundError

    async def read():
        found, at = [], 1
        while True:
            try:
                message = await link.js.get_msg(
                    names.SAMPLES, at, names.samples("*", wearer), next=True
                )
            except NotFoundError:
                return found
            assert names.place(message.subject)[1] == wearer
            found.append(decode(message.data))
            at = message.seq + 1

    return link.run(read(), 20)


def frames(some):
    """Return the frames of portions, in order."""
    return [Frame.decode(data) for portion in some for data in portion.frames]


def kept(some, lead="II"):
    """Return the samples of portions: none is there twice, and none is missing between them."""
    of_lead = [one for one in frames(some) if one.lead == lead]
    for before, after in itertools.pairwise(of_lead):
        assert after.first == before.end
    return np.concatenate([one.samples for one in of_lead]) if of_lead else np.zeros(0, np.int16)
