"""The ``ecgmon`` command: its sub-commands, and how errors end."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ecgmon import __version__
from ecgmon.core.errors import EcgmonError
from ecgmon_cli import alarms, cards, config, fleet, history, keys, versions
from ecgmon_cli.doctor import doctor
from ecgmon_cli.enroll import enroll
from ecgmon_cli.evaluate import evaluate
from ecgmon_cli.export import export
from ecgmon_cli.forget import forget
from ecgmon_cli.gateway import gateway
from ecgmon_cli.replay import replay
from ecgmon_cli.serve import serve
from ecgmon_cli.status import status
from ecgmon_cli.train import train
from ecgmon_cli.view import view
from ecgmon_cli.where import ConnectCommand

app = typer.Typer(
    help="Patient-specific ECG monitoring. Not a certified medical device.",
    epilog="Start with: ecgmon replay 203",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=ConnectCommand)(replay)
app.command()(serve)
app.command()(gateway)
app.command()(view)
app.command()(status)
app.command()(enroll)
app.command()(train)
app.command()(evaluate)
app.command()(export)
app.command()(forget)
app.command()(doctor)
cards.app.command()(versions.activate)
cards.app.command()(versions.rollback)
cards.app.command()(versions.export)
cards.app.command("import")(versions.import_)
alarms.app.command()(history.history)
app.add_typer(alarms.app, name="alarms")
app.add_typer(cards.app, name="models")
app.add_typer(keys.app, name="keys")
app.add_typer(config.app, name="config")
app.add_typer(fleet.app, name="fleet")


def _version(requested: bool) -> None:
    if requested:
        Console().print(f"ecgmon {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _common(
    _version_wanted: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Patient-specific ECG monitoring. Not a certified medical device."""


def main() -> None:
    """Run the command line; an error of ours ends in one sentence and its exit code."""
    try:
        app()
    except EcgmonError as error:
        text = Text.assemble(("Error:", "bold red"), f" {error}")  # what it quotes is no markup
        Console(stderr=True).print(text, soft_wrap=True)
        sys.exit(error.exit_code)
