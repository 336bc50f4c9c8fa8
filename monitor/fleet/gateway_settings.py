"""The settings of a gateway, out of the configuration that monitors have, too."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from ecgmon.config.fleet import FleetSection
from ecgmon.keys import KeyStore, PrivateKey
from monitor.configured import keys_folder, rates, server_key_file
from monitor.fleet.query import QuerySettings
from monitor.network.rate_limits import RateLimit
from monitor.wearers.policy import WearerPolicy

if TYPE_CHECKING:
    from ecgmon.config import Config


AT_ONCE: Final = ("policy", "keys", "own")
"""What a running gateway takes up, or what cannot be compared; all else waits for a restart."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """How a gateway is set up.

    Parameters
    ----------
    fleet : FleetSection
        Where NATS is.
    policy : WearerPolicy
        Which lead of a wearer's is used, and how many wearers may send.
    ingest : tuple of str
        Endpoints to bind; a port of ``*`` takes a free one.
    publish : tuple of str
        Endpoints of viewers, which devices are told of: results appear there. None for none.
    rates : RateLimit
        How much a connection with a key may send.
    keys : KeyStore, optional
        Who may connect over the network; without it, nobody.
    own : PrivateKey, optional
        The gateway's own, needed where the network can reach an endpoint.
    metrics : str
        Where figures are told over HTTP; empty for nowhere.
    """

    fleet: FleetSection
    policy: WearerPolicy
    ingest: tuple[str, ...]
    publish: tuple[str, ...]
    rates: RateLimit
    keys: KeyStore | None = None
    own: PrivateKey | None = None
    metrics: str = ""

    def query(self) -> QuerySettings:
        """Return how viewers are served."""
        return QuerySettings(self.fleet, self.publish, self.keys, self.own)

    def waiting(self, requested: "GatewaySettings") -> list[str]:
        """Return which settings differ from the wanted ones and need a restart."""
        return [
            one.name
            for one in fields(self)
            if one.name not in AT_ONCE and getattr(self, one.name) != getattr(requested, one.name)
        ]


def gateway_settings(config: "Config", *, for_viewers: bool = False) -> GatewaySettings:
    """Return the settings of a gateway, which may be one for viewers, too.

    Raises
    ------
    AccessError
        If the key of this machine cannot be read.
    UsageError
        If an endpoint has a scheme that no source is registered for.
    """
    from ecgmon.models.resolve import resolve
    from monitor.network.access import is_local
    from monitor.network.host import by_opener, routed
    from monitor.sources import SOURCES

    network, limits = config.network, config.limits
    by_opener(SOURCES, network.ingest, "network.ingest")  # raises for what nobody opens
    publish = network.publish if for_viewers else ()
    remote = not all(map(is_local, routed([*network.ingest, *publish])))
    return GatewaySettings(
        fleet=config.fleet,
        policy=WearerPolicy(
            resolve=lambda wearer: resolve(config.models.model or None, wearer),
            lead=lambda wearer: config.of(wearer).lead or None,
            capacity=limits.wearers,
            forget_s=limits.forget_hours * 3600,
        ),
        ingest=network.ingest,
        publish=publish,
        rates=rates(config),
        keys=KeyStore(keys_folder(config)) if remote else None,
        own=PrivateKey.read(server_key_file(config)) if remote else None,
        metrics=network.metrics,
    )
