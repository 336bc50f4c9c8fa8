"""Bundles of rhythm models that differ from the built-in one in their cards."""

import msgspec

from ecgmon.models.bundle import checksum, metadata, verify
from ecgmon.models.resolve import GENERIC_RHYTHMS, built_in
from ecgmon.models.rhythm_bundle import RhythmCard


def changed(path, **changes):
    """Write the built-in model with another card, and return the path."""
    source = built_in()[GENERIC_RHYTHMS]
    data = source.read_bytes()
    card, _ = verify(source, data, RhythmCard)
    text = msgspec.json.encode(msgspec.to_builtins(card) | changes)
    graph = data[: card.graph_bytes]
    path.write_bytes(graph + metadata(text, checksum(graph, text)))
    return path
