"""``ecgmon keys``: who may connect to the monitor over the network, and what for."""

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ecgmon.core.errors import AccessError, UsageError
from ecgmon.core.paths import state_folder
from ecgmon_cli.options import Json, write, write_bytes

if TYPE_CHECKING:
    from ecgmon.keys import Device, KeyStore, PrivateKey, Viewer

app = typer.Typer(
    help="Manage the keys that may connect to ecgmon serve over the network.",
    epilog="Start with: ecgmon keys make ann-watch --device ann",
    no_args_is_help=True,
)


def keys_folder() -> Path:
    """Return where the monitor's keys lie."""
    return state_folder() / "keys"


def _store() -> "KeyStore":
    from ecgmon.keys import KeyStore

    return KeyStore(keys_folder())


New = Annotated[str, typer.Argument(metavar="NAME", help="Name of the new key.")]
Known = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="Name of the key.", autocompletion=lambda: _store().names()
    ),
]
DeviceOf = Annotated[
    str | None,
    typer.Option("--device", metavar="WEARER", help="The key sends the ECG of this wearer."),
]
ViewerOf = Annotated[
    list[str] | None,
    typer.Option("--viewer", metavar="WEARER", help="The key sees this wearer; may be repeated."),
]
ViewerOfAll = Annotated[bool, typer.Option("--all", help="The key sees all wearers.")]
MayAct = Annotated[
    bool,
    typer.Option(
        "--acknowledge", help="The key of a viewer may acknowledge and pause alarms, too."
    ),
]


MonitorKey = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The monitor's private key.",
        show_default="monitor.key beside the others, made on first use",
    ),
]


@app.command()
def make(
    name: New,
    device: DeviceOf = None,
    viewer: ViewerOf = None,
    all_: ViewerOfAll = False,
    acknowledge: MayAct = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the private key to this file; - is stdout.",
            show_default="NAME.key",
        ),
    ] = None,
    monitor_key: MonitorKey = None,
) -> None:
    """Make a key for a device or a viewer.

    The file holds all that a client needs to connect: move it to the client and keep no copy. The
    monitor keeps only the public key.

    Examples
    --------
      ecgmon keys make ann-watch --device ann

      ecgmon keys make desk --all --acknowledge -o /media/stick/desk.key

      ecgmon keys make ann-watch --device ann -o - | ssh watch "umask 077; cat > ecgmon.key"
    """
    from ecgmon.keys import PrivateKey

    store, pair = _store(), PrivateKey.generate()
    key = _key(name, pair.public, device, viewer, all_, acknowledge)
    pair = pair.to(_own(store, monitor_key))
    file = output or Path(f"{name}.key")
    if file == Path("-"):
        store.add(key)
        write_bytes(file, pair.encode())
        return
    pair.create(file)
    try:
        store.add(key)
    except AccessError:
        file.unlink()
        raise
    _say(f"{_sentence(key)} Its private key is in {file}.")


@app.command()
def add(
    name: New,
    public: Annotated[
        str,
        typer.Argument(
            metavar="PUBLIC", help="40 characters of Z85; if the first is -, write -- before it."
        ),
    ],
    device: DeviceOf = None,
    viewer: ViewerOf = None,
    all_: ViewerOfAll = False,
    acknowledge: MayAct = False,
) -> None:
    """Register a public key whose private key was made elsewhere.

    Example
    -------
      ecgmon keys add desk 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7' --viewer ann --viewer bob
    """
    key = _key(name, public, device, viewer, all_, acknowledge)
    _store().add(key)
    _say(_sentence(key))


@app.command("list")
def list_keys(json_file: Json = None) -> None:
    """List the keys that the monitor knows, and what each may do.

    --json writes them to a file instead.

    Examples
    --------
      ecgmon keys list

      ecgmon keys list --json -
    """
    import msgspec

    store = _store()
    keys, damaged = store.load()
    if damaged:
        raise AccessError(damaged[0])
    if json_file is not None:
        text = msgspec.json.format(msgspec.json.encode(keys), indent=2).decode()
        write(json_file, f"{text}\n")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="cyan")
    for heading in ("name", "may", "made", "revoked", "public key"):
        table.add_column(heading, no_wrap=heading == "public key")
    for key in keys:
        revoked = f"{key.revoked:%Y-%m-%d}" if key.revoked else ""
        may = "nothing" if key.revoked else _purpose(key)
        made = f"{key.made:%Y-%m-%d}"
        table.add_row(*(Text(cell) for cell in (key.name, may, made, revoked, key.public)))
    Console(highlight=False).print(table)


@app.command()
def bind(
    name: Known,
    device: DeviceOf = None,
    viewer: ViewerOf = None,
    all_: ViewerOfAll = False,
    acknowledge: MayAct = False,
) -> None:
    """Change what a key may do: from now on only what is named here.

    A running monitor applies it within two seconds.

    Examples
    --------
      ecgmon keys bind watch-7 --device bob

      ecgmon keys bind desk --viewer ann --viewer bob --acknowledge
    """
    store = _store()
    before = store.get(name)
    key = _key(name, before.public, device, viewer, all_, acknowledge, before.made)
    store.bind(key)
    _say(_sentence(key))


@app.command()
def revoke(name: Known) -> None:
    """Revoke a key: it never opens anything again.

    A running monitor ends its connections within two seconds.

    Example
    -------
      ecgmon keys revoke ann-watch
    """
    _store().revoke(name)
    _say(f"{name} is revoked.")


@app.command()
def server(monitor_key: MonitorKey = None) -> None:
    """Print the monitor's public key, which devices and viewers need.

    Example
    -------
      ecgmon keys server
    """
    typer.echo(_own(_store(), monitor_key).public)


def _own(store: "KeyStore", file: Path | None) -> "PrivateKey":
    from ecgmon.keys import PrivateKey

    return PrivateKey.read(file) if file else store.own()


def _key(
    name: str,
    public: str,
    device: str | None,
    viewer: list[str] | None,
    all_: bool,
    acknowledge: bool,
    made: datetime | None = None,
) -> "Device | Viewer":
    """Return the key that the options describe; raises `UsageError` where they describe none."""
    from ecgmon.keys import Device, Viewer
    from ecgmon.keys.known import this_second
    from ecgmon.keys.private import Z85
    from ecgmon.wire.fields import WEARER

    if (device is not None) + bool(viewer) + all_ != 1:
        raise UsageError("The key needs a purpose: give one of --device, --viewer and --all.")
    if device is not None and acknowledge:
        raise UsageError("A device cannot acknowledge alarms: leave --acknowledge out.")
    wearers = [device] if device is not None else viewer or []
    for what, given in ("a key's name", name), *(("a wearer's id", each) for each in wearers):
        if not re.match(WEARER, given):
            raise UsageError(
                f"{given!r} cannot be {what}: take up to 64 letters, digits, '.', '_' or '-', a "
                "letter or digit first."
            )
    if not re.match(Z85, public):
        raise UsageError(f"{public!r} is not a public key: give 40 characters of Z85.")
    made = made or this_second()
    if device is not None:
        return Device(name=name, public=public, made=made, wearer=device)
    return Viewer(
        name=name,
        public=public,
        made=made,
        wearers="*" if all_ else tuple(dict.fromkeys(wearers)),
        acknowledge=acknowledge,
    )


def _sentence(key: "Device | Viewer") -> str:
    return f"{key.name} may {_purpose(key)}."


def _purpose(key: "Device | Viewer") -> str:
    from ecgmon.keys import Device

    if isinstance(key, Device):
        return f"send as {key.wearer}"
    whom = "all wearers" if key.wearers == "*" else ", ".join(key.wearers)
    return f"see {whom}" + " and acknowledge" * key.acknowledge


def _say(text: str) -> None:
    Console(highlight=False).print(text, markup=False, soft_wrap=True)
