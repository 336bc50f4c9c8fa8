"""``ecgmon doctor``: whether everything here is as a monitor needs it."""

import dataclasses
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console
from rich.text import Text

from ecgmon_cli.options import ConfigFile, Json, write

if TYPE_CHECKING:
    from ecgmon.config import Config
    from ecgmon_cli.diagnosis.finding import Finding, Verdict

STYLES: "Final[dict[Verdict, str]]" = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def doctor(config: ConfigFile = None, json_file: Json = None) -> None:
    """Check what a monitor needs: packages, libraries, models, disk, clock, ports, keys.

    It changes nothing. The exit code is 1 if there is a problem.

    Examples
    --------
      ecgmon doctor

      ecgmon doctor --json -
    """
    from ecgmon.config import load
    from ecgmon_cli.diagnosis.finding import run

    findings = list(run(_checks(load(config).config)))
    if json_file is not None:
        write(json_file, json.dumps([dataclasses.asdict(f) for f in findings], indent=2) + "\n")
    else:
        _show(findings)
    if any(finding.verdict == "problem" for finding in findings):
        raise typer.Exit(1)


def _checks(config: "Config") -> "dict[str, Callable[[], Iterable[Finding]]]":
    from ecgmon_cli.diagnosis import machine, network, packages, software
    from ecgmon_cli.diagnosis import storage as store

    return {
        "versions": software.versions,
        "packages": packages.packages,
        "curve": software.curve,
        "models": partial(software.models, config),
        "folder": store.folder,
        "journal": partial(store.journal, config),
        "captured": store.captured,
        "disk": partial(store.disk, config),
        "clock": machine.clock,
        "ports": partial(network.ports, config),
        "keys": partial(network.keys, config),
        "unit": machine.unit,
    }


def _show(findings: "Iterable[Finding]") -> None:
    console = Console(highlight=False)
    for finding in findings:
        line = Text.assemble(
            (f"{finding.verdict:8}", STYLES[finding.verdict]),
            (f"{finding.check:9}", "cyan"),
            "".join(c if c.isprintable() else "?" for c in finding.text),
        )
        if finding.advice:
            line.append(f": {finding.advice}", style="bold")
        console.print(line, soft_wrap=True)
