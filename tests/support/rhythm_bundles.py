"""Bundles of rhythm models that differ from the built-in ones in their cards."""

import msgspec

from ecgmon.models.atrial_bundle import AtrialCard
from ecgmon.models.bundle import checksum, metadata, verify
from ecgmon.models.resolve import GENERIC_ATRIAL, GENERIC_RHYTHMS, built_in
from ecgmon.models.rhythm_bundle import RhythmCard


def changed(path, **changes):
    """Write the built-in model of ventricular rhythms with another card, and return the path."""
    return _changed(built_in()[GENERIC_RHYTHMS], RhythmCard, path, changes)


def changed_atrial(path, **changes):
    """The same of the built-in model of atrial rhythms."""
    return _changed(built_in()[GENERIC_ATRIAL], AtrialCard, path, changes)


def _changed(source, kind, path, changes):
    data = source.read_bytes()
    card, _ = verify(source, data, kind)
    text = msgspec.json.encode(msgspec.to_builtins(card) | changes)
    graph = data[: card.graph_bytes]
    path.write_bytes(graph + metadata(text, checksum(graph, text)))
    return path
