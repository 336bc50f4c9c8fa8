"""Causal signal processing, the same for training and monitoring: one stack of wearers a call."""

from ecgmon.signal.chain import SignalChain, Windows
from ecgmon.signal.geometry import Geometry
from ecgmon.signal.whole import process_record, process_records

__all__ = ["Geometry", "SignalChain", "Windows", "process_record", "process_records"]
