"""Puts a bundle into service for a wearer, as if it were the wearer's own."""

from pathlib import Path

import msgspec

from ecgmon.models.bundle import checksum, metadata, read
from ecgmon.models.loading import decode
from ecgmon.models.store import Store


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
    data = read(bundle)
    card = decode(data, bundle).card
    text = msgspec.json.encode(msgspec.structs.replace(card, wearer=wearer))
    graph = data[: card.graph_bytes]
    own = state / f"{wearer}.onnx"
    own.write_bytes(graph + metadata(text, checksum(graph, text)))
    store = Store(state / "models")
    store.activate(wearer, store.add(wearer, own))
