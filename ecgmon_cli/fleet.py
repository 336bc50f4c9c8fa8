"""``ecgmon fleet``: begin a fleet on NATS JetStream, and see how it is."""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from ecgmon.core.errors import UsageError
from ecgmon_cli.options import ConfigFile, Json, write

if TYPE_CHECKING:
    from monitor.fleet.link import FleetLink
    from monitor.fleet.setup import FleetPlan
    from monitor.fleet.status import FleetStatus

AT_RISK: Final = 1
"""Exit code of ``status`` where something is at risk."""
ANSWER_S: Final = 30.0
"""Longest wait for a look, in seconds."""
WATCH_S: Final = 2.0
"""Pause between two looks of ``status --watch``, in seconds."""

app = typer.Typer(
    help="Many gateways and monitors that share their wearers: write what a fleet needs, and see "
    "how it is.",
    epilog="Start with: ecgmon fleet init my-fleet --servers 1",
    no_args_is_help=True,
)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Write all files here.")],
    servers: Annotated[
        str,
        typer.Option(
            metavar="N|HOST,HOST,HOST",
            help="The hosts of the NATS servers, or a number of servers on this machine.",
        ),
    ],
    port: Annotated[
        int, typer.Option(min=1, max=60_000, help="Port of the first server of a machine.")
    ] = 4222,
    replicas: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=5,
            help="Servers that keep a copy: 1, 3 or 5.",
            show_default="3 where there are as many, else 1",
        ),
    ] = None,
    max_gb: Annotated[
        float,
        typer.Option(
            "--max-gb",
            min=0.01,
            max=1_000_000,
            help="Gigabytes that a server keeps of samples, and of results.",
        ),
    ] = 20.0,
    cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate of the servers (PEM).")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Key of that certificate (PEM).")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate of who has signed it (PEM).")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the keys and passwords of a fleet.")
    ] = False,
) -> None:
    """Write the configuration, keys and systemd units of a fleet's servers and programs.

    Certificates are made by this machine's openssl, unless --cert, --key and --ca are given.

    Examples
    --------
      ecgmon fleet init my-fleet --servers 1

      ecgmon fleet init /root/fleet --servers n1.ward.lan,n2.ward.lan,n3.ward.lan
    """
    from monitor.fleet.setup import fleet_files, planned, write_fleet
    from monitor.fleet.setup_certificates import given_certificates, made_certificates

    os.umask(0o077)  # no secret is anybody else's, not for a moment
    plan = planned(servers, port, replicas, max_gb)
    if cert and key and ca:
        certificates = given_certificates(cert, key, ca, len(plan.hosts))
    elif cert or key or ca:
        raise UsageError("Give all of --cert, --key and --ca, or none of them.")
    else:
        certificates = made_certificates(plan.hosts)
    files = fleet_files(plan, certificates, folder)
    write_fleet(folder, files, force=force)
    console = Console(highlight=False)
    for file in files:
        secret = " (secret)" if file.private else ""
        console.print(f"{folder / file.place}{secret}", markup=False, soft_wrap=True)
    for step in _steps(plan, folder):
        console.print(step, markup=False, soft_wrap=True)


@app.command()
def status(
    server: Annotated[
        str | None,
        typer.Argument(
            metavar="[nats://HOST:PORT]",
            help="Any server of the fleet.",
            show_default="fleet.servers of the configuration",
        ),
    ] = None,
    json_file: Json = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Show who owns which partition, how far monitors are behind, and what is at risk.

    The exit code is 0 if all is well, 1 if something is at risk and 2 if no server answers.

    Examples
    --------
      ecgmon fleet status nats://127.0.0.1:4222

      ecgmon fleet status --config my-fleet/viewer/ecgmon.toml --watch

      ecgmon fleet status --json - | jq '.risks[]'
    """
    from monitor.fleet.status import read_status
    from monitor.fleet.status_risks import risks

    link = _connected(server, config)
    try:
        while True:
            seen = link.run(read_status(link), ANSWER_S)
            words = risks(seen)
            _show(seen, words, json_file, clear=watch)
            if not watch:
                break
            time.sleep(WATCH_S)
    except KeyboardInterrupt:
        return
    finally:
        link.close()
    if words:
        raise typer.Exit(AT_RISK)


def _connected(server: str | None, config: Path | None) -> "FleetLink":
    from ecgmon.config import Given, load
    from monitor.fleet.joined import name_of
    from monitor.fleet.link import FleetError, FleetLink

    given = [] if server is None else [Given(("fleet", "servers"), server, "nats://HOST:PORT")]
    section = load(config, given).config.fleet
    if not section.servers:
        raise FleetError("Name a server of the fleet, such as nats://127.0.0.1:4222.")
    return FleetLink(section.servers, name_of(section), section.credentials, section.certificates)


def _show(seen: "FleetStatus", words: list[str], json_file: Path | None, *, clear: bool) -> None:
    import msgspec

    from ecgmon_cli.fleet_table import print_status

    if json_file is not None:
        text = json.dumps(msgspec.to_builtins(seen) | {"risks": words})
        write(json_file, f"{text}\n")
        return
    console = Console(highlight=False)
    if clear and console.is_terminal:
        console.clear()
    print_status(seen, words, console)


def _steps(plan: "FleetPlan", folder: Path) -> list[str]:
    """Return what to do next, a line each."""
    if plan.local:
        starts = [
            f"  (cd {folder / name} && nats-server --config nats.conf)" for name in plan.names
        ]
    else:
        starts = [
            f"  {host}: copy {folder / name} to /etc/ecgmon/nats, its unit to /etc/systemd/system"
            for host, name in zip(plan.hosts, plan.names, strict=True)
        ]
        starts += [
            f"  {role}s: copy {folder / role} to /etc/ecgmon/{role}, ecgmon@{role}.service.d to "
            "/etc/systemd/system"
            for role in ("gateway", "monitor")
        ]
    return [
        "Next:",
        *starts,
        f"  ecgmon fleet status --config {folder / 'viewer' / 'ecgmon.toml'}",
        "Keep the folder authority and the file admin/credentials away from all of them: see "
        "docs/fleet.md.",
    ]
