"""Keys for tests, and what they may be for."""

from datetime import UTC, datetime

from ecgmon.keys import Device, KeyStore, PrivateKey, Viewer

MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OWN, STRANGER = PrivateKey.generate(), PrivateKey.generate()
PAIRS = [PrivateKey.generate().to(OWN) for _ in range(3)]


def device(name, pair, wearer):
    return Device(name=name, public=pair.public, made=MADE, wearer=wearer)


def viewer(name, pair, wearers, acknowledge=False):
    return Viewer(
        name=name, public=pair.public, made=MADE, wearers=wearers, acknowledge=acknowledge
    )


def keyring(folder):
    """A store that knows a device with the first pair, and a viewer of all with the second."""
    store = KeyStore(folder)
    store.add(device("ann-watch", PAIRS[0], "ann"))
    store.add(viewer("desk", PAIRS[1], "*", acknowledge=True))
    return store
