"""What the commands on alarms share: options, the connection to the monitor, and output."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import to_builtins
from rich.console import Console
from rich.text import Text

from ecgmon.core.errors import EcgmonError
from ecgmon_cli.attach import Attached, asking
from ecgmon_cli.options import write
from ecgmon_cli.where import where

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def _kinds() -> list[str]:
    from monitor.alarms.kinds import KINDS

    return list(KINDS)


def _complete(context: typer.Context) -> list[str]:
    """Return the wearers whom the monitor watches, for the shell to complete."""
    try:
        with ask(context.params.get("endpoint"), context.params.get("key")) as monitor:
            return sorted(monitor.snapshot.wearers)
    except EcgmonError:
        return []


Wearers = Annotated[
    list[str] | None,
    typer.Argument(metavar="[WEARER]...", help="Ids of wearers.", autocompletion=_complete),
]
All = Annotated[bool, typer.Option("--all", help="All wearers, and the monitor itself.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind", help="Kind of alarm, such as abnormal; may be repeated.", autocompletion=_kinds
    ),
]


def ask(endpoint: str | None, key: Path | None) -> "AbstractContextManager[Attached]":
    """Connect to a monitor that has said which alarms stand."""
    from ecgmon.wire import messages
    from ecgmon.wire.viewer_client import topics

    subscribed = topics((messages.Opened, messages.Alarm, messages.Paused))
    return asking(where("publish", endpoint, key), subscribed)


def write_json(path: Path, found: object) -> None:
    """Write messages to a file that the user named."""
    write(path, json.dumps(to_builtins(found), indent=2) + "\n")


def plain_text(text: str) -> Text:
    """Return what a monitor said as a text that neither marks up nor steers the terminal."""
    from ecgmon.terminal.canvas import plain

    return Text(plain(text))


def say(text: str) -> None:
    """Print a line."""
    Console(highlight=False, soft_wrap=True, markup=False).print(text)
