"""Puts bundles into service for wearers, as if they were the wearers' own."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from ecgmon.models.bundle import CARD_KEY, checksum, metadata, read
from ecgmon.models.store import SERVICE, Activation, ServiceEntry, Store

SINCE: Final = "2026-01-01T00:00:00+00:00"
"""When the bundles of a ward are said to have been put into service."""


def serve(bundle: Path, wearer: str, state: Path) -> None:
    """Put a bundle into service for a wearer, whose name its card gets.

    Parameters
    ----------
    bundle : Path
        Of any kind.
    wearer : str
        Who.
    state : Path
        State folder of the monitor.
    """
    own = state / f"{wearer}.onnx"
    own.write_bytes(renamed(read(bundle), wearer))
    store = Store(state / "models")
    store.activate(wearer, store.add(wearer, own))


def renamed(data: bytes, wearer: str) -> bytes:
    """Return a bundle of any version of ecgmon, with a wearer's name in its card."""
    _, _, rest = data.rpartition(CARD_KEY.encode() + b"\x12")
    start = next(i + 1 for i, byte in enumerate(rest) if byte < 0x80)  # after its length
    card = msgspec.json.decode(rest[start : rest.rindex(b"}") + 1])
    text = msgspec.json.encode(card | {"wearer": wearer})
    graph = data[: card["graph_bytes"]]
    return graph + metadata(text, checksum(graph, text))


def ward(folder: Path, wearers: Sequence[str], bundles: Sequence[Path]) -> Path:
    """Put bundles into service for each of many wearers; what is there already is left alone.

    Nothing is verified but by the monitor that loads them, so that a thousand take seconds.

    Parameters
    ----------
    folder : Path
        Where stores are kept, one for each choice of bundles.
    wearers : sequence of str
        Who.
    bundles : sequence of Path
        One for windows, and perhaps one for beats.

    Returns
    -------
    Path
        The folder of models, of a store with these wearers in it.
    """
    contents = [bundle.read_bytes() for bundle in bundles]
    models = folder / hashlib.sha256(b"".join(contents)).hexdigest()[:8]
    for wearer in wearers:
        own = models / wearer
        if own.is_dir():
            continue
        made = models / f".{wearer}"
        made.mkdir(parents=True, exist_ok=True)
        for version, (data, entry) in enumerate(
            zip(contents, (SERVICE["window"], SERVICE["beat"]), strict=False), start=1
        ):
            (made / f"{version:04}.onnx").write_bytes(renamed(data, wearer))
            since = ServiceEntry((Activation(version, SINCE),))
            (made / entry).write_bytes(msgspec.json.encode(since))
        made.rename(own)
    return models
