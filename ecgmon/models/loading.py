"""Loading bundles of any kind: a store holds models of windows beside models of beats."""

from pathlib import Path

from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.bundle import Model, read, verify
from ecgmon.models.card import AnyCard


def decode(data: bytes, path: Path) -> Model | BeatModel:
    """Verify the bytes of a bundle and make it ready to run.

    Parameters
    ----------
    data : bytes
        The whole file, from `ecgmon.models.bundle.read`.
    path : Path
        Name of the file in error messages.

    Raises
    ------
    BundleError
        If it is no sound bundle.
    """
    card, _ = verify(path, data, AnyCard)
    kind = BeatModel if card.input == "beat" else Model
    return kind.decode(data, path)


def load(path: Path) -> Model | BeatModel:
    """Read and verify a bundle; raises as `decode`."""
    return decode(read(path), path)


def load_servable(path: Path) -> Model | BeatModel:
    """Read a bundle that a monitor can serve; raises as `decode` and `BeatModel.require_live`."""
    model = load(path)
    if isinstance(model, BeatModel):
        model.require_live(path)
    return model
