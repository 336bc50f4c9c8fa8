"""Bundles of beat models: the same file as `ecgmon.models.bundle` with another card."""

from pathlib import Path
from typing import Literal, Self, get_args

from ecgmon.core.errors import BundleError
from ecgmon.core.labels import BeatClass
from ecgmon.models.beat_layers import NETWORK, BeatLayers, beat_layers
from ecgmon.models.bundle import Served, ends, open_session, verify
from ecgmon.models.card import ClassCard, Count
from ecgmon.signal.beat_segments import BEAT_RATE, VALUES


class BeatCard(ClassCard, frozen=True, kw_only=True):
    """Card of a beat model: all facts that a user or the monitor needs.

    ``segments`` says how a beat is cut: *published*, as Kachuee et al. (2018) did, from its R peak
    on; or *live*, as a monitor can (`ecgmon.signal.beat_segments`). The shape of an input is
    ``channels`` times ``length``; a live one is ``length`` numbers.
    """

    input: Literal["beat"] = "beat"
    segments: Literal["published", "live"]
    channels: Count
    length: Count
    beats: tuple[Count, ...]
    """Beats of each class that it was fitted to."""

    @property
    def fitted(self) -> tuple[int, ...]:
        """Beats of each class that it was fitted to."""
        return self.beats


class BeatModel(Served[BeatCard]):
    """A bundle whose model judges beats, one probability for each class.

    Attributes
    ----------
    layers : BeatLayers or None
        The network's weights, where it is the project's own and a wearer's: it can be run beside
        others without the session.
    """

    layers: BeatLayers | None = None

    @classmethod
    def decode(cls, data: bytes, path: Path) -> Self:
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
            If it is none, is damaged, judges no beats, or its graph is not what its card says.
        """
        card, sha256 = verify(path, data, BeatCard)
        session = open_session(path, data)
        shapes = [[card.channels, card.length]] + [[card.length]] * (card.channels == 1)
        expected = [
            [("tensor(float)", [None, *shape]), ("tensor(float)", [None, len(card.classes)])]
            for shape in shapes
        ]
        if ends(session) not in expected:
            raise BundleError(
                f"{path} takes other input than its card says: expected {card.channels} times "
                f"{card.length} samples."
            )
        model = cls(session, card, sha256, path)
        if card.wearer is not None and card.network == NETWORK:
            model.layers = beat_layers(data[: card.graph_bytes], len(card.classes))
        return model

    def require_live(self, path: Path) -> None:
        """Raise `BundleError` where a monitor cannot cut what this model sees of a beat."""
        card = self.card
        shape = (card.channels, card.length, card.rate)
        if card.segments != "live" or shape != (1, VALUES, BEAT_RATE):
            raise BundleError(
                f"{path} sees beats as no monitor has them: train a recipe of live beats, such as "
                "context."
            )
        published = get_args(BeatClass)
        if unknown := sorted(set(card.classes) - {*published}):
            raise BundleError(
                f"{path} names classes that a monitor does not publish: {', '.join(unknown)}; "
                f"it publishes {', '.join(published)}."
            )
