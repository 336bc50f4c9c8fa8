"""``ecgmon forget``: delete all that is kept of a wearer."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ecgmon.core.errors import UsageError
from ecgmon.core.paths import captured_folder, enrolments_folder, state_folder
from ecgmon_cli.options import ConfigFile, write

if TYPE_CHECKING:
    from ecgmon.config.reading import LoadedConfig
    from monitor.storage.erasure import Places, StoredData
    from monitor.storage.erasure_log import ErasureLog


def complete() -> list[str]:
    """Return of whom something is kept, as far as folders show it."""
    folders = (captured_folder(), enrolments_folder(), state_folder() / "models")
    return sorted({path.name for folder in folders for path in folder.glob("*/")})


def forget(
    wearer: Annotated[
        str,
        typer.Argument(metavar="WEARER", help="A wearer's id.", autocompletion=complete),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be deleted.")
    ] = False,
    json_file: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="Write counts of what was deleted as JSON; - is stdout."
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The monitor's journal.",
            show_default="as configured",
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Delete everything stored of a wearer: signal, enrolments, models, journal lines.

    Stop the monitor first. forgotten.jsonl in the state folder records when and by whom it was
    done. Configuration and keys stay; those that name the wearer are listed. If it is interrupted,
    run it again.

    Examples
    --------
      ecgmon forget ann --dry-run

      sudo systemctl stop ecgmon && sudo ECGMON_STATE=/var/lib/ecgmon ecgmon forget ann
    """
    from ecgmon.config import load
    from ecgmon.models.resolve import stored
    from ecgmon.records.captured.layout import home
    from ecgmon.terminal.progress import long_work
    from monitor.configured import journal_file
    from monitor.storage.erasure import Places, erase, look, no_monitor
    from monitor.storage.erasure_log import ErasureLog

    home(captured_folder(), wearer)  # an id that is none is said at once
    loaded = load(config)
    if journal is not None and not journal.exists():
        raise UsageError(f"There is no journal {journal}: name the monitor's with --journal.")
    places = Places(
        state=state_folder(),
        journal=journal or journal_file(loaded.config),
        captured=captured_folder(),
        enrolments=enrolments_folder(),
        models=stored(),
    )
    if dry_run:
        counted = look(places, wearer)
        _require_something(places, wearer, counted, ErasureLog(places.state, wearer))
        _report(places, wearer, counted, _remains(loaded, places, wearer), json_file, deleted=False)
        return
    with no_monitor(places):
        counted, log = look(places, wearer), ErasureLog(places.state, wearer)
        _require_something(places, wearer, counted, log)
        if not yes:
            _ask(places, wearer, counted)
        remains = _remains(loaded, places, wearer)
        log.add("begun", counted)
        with long_work(transient=True) as bar:
            bar.add_task(f"Deleting what is kept of {wearer}", total=None, note="")
            erase(places, wearer)
        log.add("done", counted)
    _report(places, wearer, counted, remains, json_file, deleted=True)


def _require_something(
    places: "Places", wearer: str, counted: "StoredData", log: "ErasureLog"
) -> None:
    """Raise `UsageError` where nothing is kept, and nothing was left half done."""
    if log.unfinished or counted.lines or any(path.exists() for path in places.folders(wearer)):
        return
    if log.latest is not None:
        raise UsageError(
            f"Nothing is kept of {wearer}: all was deleted at {log.latest.at} by {log.latest.by}."
        )
    raise UsageError(
        f"Nothing is kept of {wearer} in {places.state}: check the id, and where $ECGMON_STATE "
        "points to."
    )


def _ask(places: "Places", wearer: str, counted: "StoredData") -> None:
    """Ask whether to go on; raises `typer.Exit` where it is not wanted."""
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask in: give --yes to delete without asking.")
    typer.echo(f"Kept of {wearer} in {places.state}: {_summary(counted)}.", err=True)
    if not typer.confirm("Delete all of it for ever?", err=True):
        typer.echo("Nothing was deleted.", err=True)
        raise typer.Exit(1)


def _summary(counted: "StoredData") -> str:
    def many(number: int, what: str) -> str:
        return f"{number:,} {what}{'s' * (number != 1)}"

    return ", ".join(
        (
            f"{counted.signal_hours:.1f} hours of signal in {many(counted.records, 'record')}",
            many(counted.models, "model"),
            many(counted.enrolments, "enrolment file"),
            f"{many(counted.lines, 'journal line')} with {many(counted.alarms, 'alarm')}",
        )
    )


def _remains(loaded: "LoadedConfig", places: "Places", wearer: str) -> list[str]:
    """Return a sentence for all that names the wearer, or may, and is not deleted here.

    A key is a device's or a person's means to connect, not signal: to remove it unasked might lock
    out a device that the next wearer has on already.
    """
    from ecgmon.keys import Device, KeyStore
    from monitor.configured import keys_folder

    remaining, file = [], loaded.file or "the configuration"
    if wearer in loaded.config.wearers:
        remaining.append(f"[wearers.{wearer}] is still in {file}: remove it there.")
    if loaded.config.models.model.partition("/")[0] == wearer:
        remaining.append(
            f"models.model is still {wearer} in {file}: choose another, or no monitor starts."
        )
    folder = keys_folder(loaded.config)
    keys, damaged = KeyStore(folder).load()
    remaining += damaged
    for key in keys:
        named = (key.wearer,) if isinstance(key, Device) else key.wearers
        if wearer not in named:
            continue
        if key.revoked is None:
            bind, revoke = (f"ecgmon keys {what} {key.name}" for what in ("bind", "revoke"))
            remedy = f"{bind} gives it another wearer, {revoke} ends it"
        else:
            remedy = f"it is revoked, so remove {folder / key.name}.json"
        remaining.append(f"The key {key.name} still names {wearer}: {remedy}.")
    if not places.journal.exists():
        remaining.append(
            f"There is no journal {places.journal}: if the monitor writes another one, run this "
            "again with --journal."
        )
    remaining += [
        f"{path} may hold lines of {wearer}: remove it when nobody needs it."
        for path in places.damaged()
    ]
    return remaining


def _report(
    places: "Places",
    wearer: str,
    counted: "StoredData",
    remains: list[str],
    json_file: Path | None,
    *,
    deleted: bool,
) -> None:
    import msgspec

    if json_file is not None:
        document = {"wearer": wearer, "deleted": deleted, **msgspec.structs.asdict(counted)}
        text = msgspec.json.format(msgspec.json.encode(document | {"remains": remains}), indent=2)
        write(json_file, f"{text.decode()}\n")
        return
    what = "Deleted" if deleted else "Would be deleted"
    for line in (f"{what} of {wearer} in {places.state}: {_summary(counted)}.", *remains):
        Console(highlight=False).print(line, markup=False, soft_wrap=True)
