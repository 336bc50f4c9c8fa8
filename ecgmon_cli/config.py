"""``ecgmon config``: what the monitor is set to, and from where."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ecgmon_cli.options import ConfigFile, Json, write

if TYPE_CHECKING:
    from ecgmon.config import LoadedConfig

app = typer.Typer(
    help="Show and check the configuration of ecgmon serve.",
    epilog="Start with: ecgmon config show --defaults > ecgmon.toml",
    no_args_is_help=True,
)


@app.command()
def show(
    config: ConfigFile = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Show the defaults instead of the configuration.")
    ] = False,
    json_file: Json = None,
) -> None:
    """Show every key, its value, and where the value comes from.

    The output is a configuration file. The file replaces defaults, variables such as
    ECGMON_NETWORK_INGEST replace the file, and options of ecgmon serve replace them all.

    Examples
    --------
      ecgmon config show

      ecgmon config show --defaults > /etc/ecgmon/ecgmon.toml
    """
    from ecgmon.config import Config, LoadedConfig, load, toml

    loaded = LoadedConfig(Config(), {}, None) if defaults else load(config)
    if json_file is not None:
        write(json_file, json.dumps(_everything(loaded), indent=2) + "\n")
        return
    write(Path("-"), toml(loaded.config, None if defaults else loaded.origins))


@app.command()
def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", show_default="the one that ecgmon serve would read"),
    ] = None,
) -> None:
    """Check a configuration; the exit code is 2 if ecgmon serve would refuse it.

    Example
    -------
      ecgmon config check /etc/ecgmon/ecgmon.toml
    """
    from ecgmon.config import load
    from monitor.configured import settings

    loaded = load(file)
    settings(loaded.config)
    what = loaded.file or "There is no file; the environment"
    Console(highlight=False).print(f"{what} is valid.", markup=False, soft_wrap=True)


def _everything(loaded: "LoadedConfig") -> dict[str, Any]:
    """Return all keys by section, each with its value and origin."""
    import msgspec

    def values(prefix: tuple[str, ...], section: object) -> dict[str, Any]:
        return {
            name: {"value": value, "from": loaded.origins.get((*prefix, name), "default")}
            for name, value in msgspec.to_builtins(section).items()
        }

    config = loaded.config
    sections = {name: getattr(config, name) for name in config.__struct_fields__}
    wearers = sections.pop("wearers")
    return {name: values((name,), section) for name, section in sections.items()} | {
        "wearers": {wearer: values(("wearers", wearer), own) for wearer, own in wearers.items()}
    }
