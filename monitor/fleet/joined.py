"""Joining the fleet that a configuration names."""

import os
import socket

from ecgmon.config.fleet import FleetSection
from monitor.fleet.layout import FleetLayout, prepare
from monitor.fleet.link import FleetError, FleetLink


def name_of(section: FleetSection) -> str:
    """Return what this process is called in the fleet: letters, digits, ``-`` and ``_``."""
    host = "".join(one if one.isalnum() else "-" for one in socket.gethostname())
    return section.name or f"{host[:40]}-{os.getpid()}"


def join(section: FleetSection) -> tuple[FleetLink, int]:
    """Connect to the fleet, and make what is missing of it.

    Returns
    -------
    FleetLink
        Connected.
    int
        Number of its partitions.

    Raises
    ------
    FleetError
        If no server is named, none answers, or it does not do what is needed.
    """
    if not section.servers:
        raise FleetError("No NATS server is named: give fleet.servers in the configuration.")
    link = FleetLink(section.servers, name_of(section), section.credentials, section.certificates)
    wanted = FleetLayout(
        replicas=section.replicas,
        samples_hours=section.samples_hours,
        results_days=section.results_days,
        max_gb=section.max_gb,
    )
    try:
        return link, prepare(link, wanted)
    except BaseException:
        link.close()
        raise
