"""Causal signal processing, the same for training and monitoring; one call takes many wearers."""

from ecgmon.signal.chain import SignalChain
from ecgmon.signal.geometry import Geometry
from ecgmon.signal.offline import detect_beats, process_record, process_records
from ecgmon.signal.types import Pushed, Second, Windows

__all__ = [
    "Geometry",
    "Pushed",
    "Second",
    "SignalChain",
    "Windows",
    "detect_beats",
    "process_record",
    "process_records",
]
