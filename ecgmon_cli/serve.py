"""``ecgmon serve``: the monitor as a daemon."""

import faulthandler
import gc
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecgmon.core.errors import UsageError
from ecgmon.core.paths import state_folder
from ecgmon_cli.options import ConfigFile

if TYPE_CHECKING:
    pass


def serve(
    ingest: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENDPOINT",
            help="Accept devices here; may be repeated.",
            show_default="tcp://127.0.0.1:5555",
        ),
    ] = None,
    publish: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENDPOINT",
            help="Accept viewers here; may be repeated.",
            show_default="tcp://127.0.0.1:5556",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Judge by this model: a bundle's path, a wearer's id, or generic.",
            show_default="the wearer's own, else generic",
        ),
    ] = None,
    abnormal: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Raise *abnormal* at K abnormal of the last N seconds.",
            show_default="3/10",
        ),
    ] = None,
    clear_after: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            help="Clear *abnormal* after this many seconds in a row without an abnormal one.",
            show_default="30",
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="SQLite file of the journal."),
    ] = None,
    capture: Annotated[
        int | None,
        typer.Option(
            metavar="HOURS",
            help="Keep this many hours of each wearer's samples, as WFDB records in captured/ of "
            "the state folder; 0 keeps none.",
            show_default="24",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Share the wearers among N worker processes; 0 for one process without any.",
            show_default="0",
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Take samples from the fleet of these NATS servers, such as "
            "nats://10.0.0.5:4222, and tell it the results; may be repeated.",
            show_default="none: the devices that connect",
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Monitor the devices that connect, until SIGTERM or Ctrl-C.

    ecgmon config show lists all settings. Options replace those of the configuration, which SIGHUP
    reads again.

    Examples, in two terminals
    --------

      ecgmon serve

      ecgmon replay 203 --connect tcp://127.0.0.1:5555
    """
    gc.disable()  # what is loaded now stays; `collect_rarely` enables it
    import zmq

    from ecgmon.config import Given, load
    from ecgmon_cli.daemon_signals import handled
    from monitor.configured import settings
    from monitor.daemon import Monitor
    from monitor.fleet.process import FleetMonitor
    from monitor.network.connections import raise_limit
    from monitor.ops.garbage import collect_rarely
    from monitor.ops.logs import log_to_stderr
    from monitor.ops.systemd import SystemdNotifier
    from monitor.settings import MonitorSettings
    from monitor.workers.front import Front

    options = {
        ("network", "ingest"): ("--ingest", ingest),
        ("network", "publish"): ("--publish", publish),
        ("models", "model"): ("--model", model),
        ("alarms", "abnormal"): ("--abnormal", abnormal),
        ("alarms", "clear_after"): ("--clear-after", clear_after),
        ("storage", "journal"): ("--journal", journal and str(journal.absolute())),
        ("storage", "capture_hours"): ("--capture", capture),
        ("limits", "workers"): ("--workers", workers),
        ("fleet", "servers"): ("--source", source),
    }
    given = [
        Given(key, value, option)
        for key, (option, value) in options.items()
        if value not in (None, [])
    ]

    def read() -> MonitorSettings:
        found = settings(load(config, given).config)
        return replace(found, captured=None) if source else found

    collect_rarely()
    log_to_stderr()
    raise_limit()
    os.umask(0o077)  # what is kept of wearers is nobody else's
    faulthandler.enable()  # a watchdog's SIGABRT leaves in the log where it hung
    start = read()
    _make_home(start.journal)
    service = SystemdNotifier()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    monitor: Monitor | Front
    if source:
        _refuse_workers(start.workers)
        section = load(config, given).config.fleet
        monitor = FleetMonitor(start, context, section, tuple(ingest or ()))
    elif start.workers:
        named = str(config.absolute()) if config else None
        words = [(one.key, one.value, one.origin) for one in given]
        monitor = Front(start, context, named, words)
    else:
        monitor = Monitor(start, context)
    with handled(monitor, service, read):
        try:
            monitor.start()
            service.ready()
            service.status(f"ingest {monitor.ingest}, publish {monitor.publish}")
            monitor.run(service.alive)
        finally:
            context.destroy()


def _make_home(journal: Path) -> None:
    """Make the state folder, where the journal lies in it."""
    folder = state_folder()
    if journal.parent != folder:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be made ({error.strerror}): name a file with --journal."
        ) from error


def _refuse_workers(workers: int) -> None:
    """Refuse worker processes: a fleet shares its wearers among monitors."""
    if workers:
        raise UsageError(
            "A monitor of a fleet has no worker processes: leave out --workers, and start more "
            "monitors."
        )
