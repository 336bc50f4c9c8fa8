"""Settings of a fleet: where NATS is, and what it keeps."""

from typing import Annotated, Final

from ecgmon.config.entry import Section, documented
from ecgmon.config.values import Endpoints, path

NATS_SERVERS: Final = "addresses such as nats://10.0.0.5:4222"


class FleetSection(Section, frozen=True):
    """Where several gateways and monitors find each other."""

    servers: Annotated[
        Endpoints,
        documented(
            "Connect to these NATS servers: one, or a list; none for no fleet.", NATS_SERVERS
        ),
    ] = ()
    name: Annotated[
        str,
        documented(
            'Be called so in the fleet; "" for the names of machine and process.',
            'up to 64 letters, digits, "-" and "_", or ""',
            pattern=r"^[A-Za-z0-9_-]{0,64}\Z",
        ),
    ] = ""
    credentials: Annotated[
        str, path('File of one line, name:password, or of credentials of NATS; "" for none.')
    ] = ""
    certificates: Annotated[
        str,
        path('File of the certificate that has signed those of the servers; "" for none.'),
    ] = ""
    replicas: Annotated[
        int, documented("Let so many servers keep a copy, in a fleet that begins.", ge=1, le=5)
    ] = 1
    samples_hours: Annotated[
        float,
        documented("Keep samples so many hours, in a fleet that begins.", ge=0.1, le=1_000),
    ] = 2.0
    results_days: Annotated[
        float,
        documented("Keep results so many days, in a fleet that begins.", ge=0.01, le=36_500),
    ] = 7.0
    max_gb: Annotated[
        float,
        documented(
            "Keep at most so many gigabytes of each of them, in a fleet that begins.",
            ge=0.01,
            le=1_000_000,
        ),
    ] = 20.0
