"""Who may connect to a monitor over the network: CURVE keys and what each is for."""

from ecgmon.keys.known import Device, Key, KeyStore, Viewer
from ecgmon.keys.private import PrivateKey

__all__ = ["Device", "Key", "KeyStore", "PrivateKey", "Viewer"]
