"""Loading bundles of any kind: a store holds models of windows, of beats and of both rhythms."""

from pathlib import Path
from typing import Final

from ecgmon.core.errors import BundleError
from ecgmon.models.atrial_bundle import AtrialModel
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.bundle import Model, read, verify
from ecgmon.models.card import AnyCard, Input
from ecgmon.models.rhythm_bundle import RhythmModel

AnyModel = Model | BeatModel | RhythmModel | AtrialModel
_OF: Final[dict[Input, type[AnyModel]]] = {
    "window": Model,
    "beat": BeatModel,
    "rhythm": RhythmModel,
    "atrial": AtrialModel,
}


def decode(data: bytes, path: Path) -> AnyModel:
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
    return _OF[card.input].decode(data, path)


def load(path: Path) -> AnyModel:
    """Read and verify a bundle; raises as `decode`."""
    return decode(read(path), path)


def load_servable(path: Path) -> AnyModel:
    """Read a bundle that a monitor can serve; raises as `decode` and `BeatModel.require_live`."""
    model = load(path)
    if isinstance(model, BeatModel):
        model.require_live(path)
    return model


def load_beats(path: Path) -> BeatModel:
    """Read a bundle that can judge the beats of a monitor.

    Raises
    ------
    BundleError
        If it is no sound bundle, judges something else, or beats as no monitor has them.
    """
    model = load_servable(path)
    if not isinstance(model, BeatModel):
        what = "windows" if isinstance(model, Model) else "rhythms"
        raise BundleError(f"{path} judges {what}, not beats: give a bundle of beats.")
    return model
