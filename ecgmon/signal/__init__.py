"""Causal signal processing, the same for training and monitoring: one stack of wearers a call."""

from ecgmon.signal.chain import SignalChain, Windows, process_record
from ecgmon.signal.geometry import Geometry

__all__ = ["Geometry", "SignalChain", "Windows", "process_record"]
