"""CURVE keys of devices and viewers, and the rights that each key gives."""

from ecgmon.keys.known import Device, Key, KeyStore, Viewer
from ecgmon.keys.private import PrivateKey

__all__ = ["Device", "Key", "KeyStore", "PrivateKey", "Viewer"]
