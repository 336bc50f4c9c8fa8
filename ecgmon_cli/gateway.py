"""``ecgmon gateway``: takes devices for a fleet, and keeps what they send in NATS JetStream."""

import contextlib
import faulthandler
import os
from typing import TYPE_CHECKING, Annotated

import typer

from ecgmon_cli.options import ConfigFile

if TYPE_CHECKING:
    from monitor.fleet.gateway_settings import GatewaySettings


def gateway(
    ingest: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENDPOINT",
            help="Accept devices here; may be repeated.",
            show_default="tcp://127.0.0.1:5555",
        ),
    ] = None,
    fleet: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVER",
            help="Keep samples in JetStream of this NATS server, such as nats://10.0.0.5:4222; "
            "may be repeated for servers of one cluster.",
            show_default="fleet.servers of the configuration",
        ),
    ] = None,
    publish: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENDPOINT",
            help="Accept viewers of the whole fleet here; may be repeated.",
            show_default="none",
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Take devices for a fleet of monitors, until SIGTERM or Ctrl-C.

    Devices notice no difference from a monitor: their samples are acknowledged when JetStream has
    them on disk. A device may go on with any gateway. ecgmon serve --source judges what comes.
    Viewers see the wearers of all monitors.

    Examples
    --------
      ecgmon gateway --fleet nats://127.0.0.1:4222

      ecgmon gateway --fleet nats://127.0.0.1:4222 --publish tcp://127.0.0.1:5556

      ecgmon gateway --ingest tcp://0.0.0.0:5555 --fleet nats://10.0.0.5:4222
    """
    import zmq

    from ecgmon.config import Given, load
    from ecgmon_cli.daemon_signals import handled
    from ecgmon_cli.fleet_view import watched
    from monitor.fleet.gateway import Gateway
    from monitor.fleet.gateway_settings import gateway_settings
    from monitor.network.connections import raise_limit
    from monitor.ops.garbage import collect_rarely
    from monitor.ops.logs import log_to_stderr
    from monitor.ops.systemd import SystemdNotifier

    options = {
        ("network", "ingest"): ("--ingest", ingest),
        ("network", "publish"): ("--publish", publish),
        ("fleet", "servers"): ("--fleet", fleet),
    }
    given = [Given(key, value, option) for key, (option, value) in options.items() if value]

    def read() -> "GatewaySettings":
        return gateway_settings(load(config, given).config, for_viewers=bool(publish))

    collect_rarely()
    log_to_stderr()
    raise_limit()
    os.umask(0o077)
    faulthandler.enable()  # a watchdog's SIGABRT leaves in the log where it hung
    start = read()
    service = SystemdNotifier()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    running = Gateway(start, context)
    with handled(running, service, read), contextlib.ExitStack() as viewers:
        try:
            running.start()
            if start.publish:
                viewers.enter_context(watched(start.query()))
            service.ready()
            service.status(f"ingest {running.ingest}")
            running.run(service.alive)
        finally:
            context.destroy()
