"""What a gateway tells those who watch machines."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector


class GatewayFigures:
    """The figures of a gateway for `monitor.ops.prometheus.MetricsServer`."""

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry()
        registry = self.registry
        ProcessCollector(registry=registry)
        self.portions = Counter(
            "ecgmon_portions", "Portions that JetStream has.", registry=registry
        )
        self.under_way = Gauge(
            "ecgmon_portions_under_way", "Not answered by JetStream.", registry=registry
        )
        self.devices = Gauge("ecgmon_devices", "Devices that send.", registry=registry)
        self.connections = Gauge("ecgmon_connections", "Connections of devices.", registry=registry)
        self.refused = Counter("ecgmon_refused", "Messages refused.", registry=registry)
        self.away = Gauge(
            "ecgmon_jetstream_away_seconds", "Since when it takes nothing.", registry=registry
        )
