"""``ecgmon serve``: the monitor as a daemon."""

import logging
import signal
from pathlib import Path
from typing import Annotated

import typer

from ecgmon.cli.options import (
    AbnormalRule,
    ClearAfter,
    Journal,
    Model,
    alert_rules,
    captured_folder,
    state_folder,
)
from ecgmon.errors import UsageError


def serve(
    ingest: Annotated[
        str, typer.Option(metavar="ENDPOINT", help="Where devices connect.")
    ] = "tcp://127.0.0.1:5555",
    publish: Annotated[
        str, typer.Option(metavar="ENDPOINT", help="Where results are published.")
    ] = "tcp://127.0.0.1:5556",
    model: Model = None,
    abnormal: AbnormalRule = "3/10",
    clear_after: ClearAfter = 30,
    journal: Journal = None,
    capture: Annotated[
        int,
        typer.Option(
            metavar="HOURS",
            min=0,
            max=10_000,
            help="Keep up to so many hours of each wearer's samples, as WFDB records in "
            "captured/ beside the models; 0 stores none.",
        ),
    ] = 24,
) -> None:
    """Monitor the devices that connect, until SIGTERM or Ctrl-C.

    Example, in two terminals:

      ecgmon serve

      ecgmon replay 203 --connect tcp://127.0.0.1:5555
    """
    import zmq

    from ecgmon.bundle import Model as Bundle
    from ecgmon.cli.models import resolve
    from monitor.daemon import Monitor, Settings

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    Bundle.load(resolve(model, None))  # a bad model is said now, not when the first device comes
    settings = Settings(
        journal=journal or _default_journal(),
        resolve=lambda wearer: resolve(model, wearer),
        ingest=ingest,
        publish=publish,
        rules=alert_rules(abnormal, clear_after),
        captured=captured_folder() if capture else None,
        capture_hours=capture,
    )
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    monitor = Monitor(settings, context)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: monitor.stop())
    try:
        monitor.start()
        monitor.run()
    finally:
        context.destroy()


def _default_journal() -> Path:
    folder = state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be made ({error.strerror}): give a place with --journal."
        ) from error
    return folder / "journal.db"
