"""Classification of beats: one batch for each model a tick, and what of a stream is still open."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import WINDOW
from ecgmon.core.labels import BeatClass
from ecgmon.core.signal_states import SignalState
from ecgmon.core.state import Index, Layout, Stateful
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.beat_kinds import BeatKinds
from ecgmon.models.beat_layers import BeatLayers
from ecgmon.signal.beat_cutter import BeatInputs
from ecgmon.signal.beat_segments import AFTER
from ecgmon.signal.qrs import LONGEST_RR
from monitor.inference.beat_stack import BeatStack
from monitor.inference.own_beats import checked, own_probability

MAX_OPEN: Final = 16
"""Most beats published of a second that has not ended: a beat needs 0.2 s."""

CHECK_EVERY: Final = 1009
"""A wearer's own model is checked by its graph where a beat's stream index is a multiple."""
_OF_ATRIA: Final = ("N", "S")


@dataclass(frozen=True, slots=True)
class JudgedBeat:
    """A beat that was detected, `ecgmon.signal.beat_segments.AFTER` samples after its R peak.

    Parameters
    ----------
    row : int
        Whose, in the signal chain.
    at : int
        Stream index of the R peak.
    label : str or None
        Its class; None where the model was not asked, for what it sees is not all signal.
    probability : float
        Of this class.
    of_atria : float
        Probability of *N* and *S* together.
    """

    row: int
    at: int
    label: BeatClass | None
    probability: float
    of_atria: float = 0.0

    @property
    def due(self) -> int:
        """Stream index at which it is known."""
        return self.at + AFTER

    def in_fibrillation(self) -> "JudgedBeat":
        """Return the beat as one of atrial fibrillation, where *N* and *S* are one class, *N*."""
        if self.label not in ("N", "S"):
            return self
        return replace(self, label="N", probability=self.of_atria)

    def by_pacemaker(self) -> "JudgedBeat":
        """Return the beat as one that a pacing spike has made: *Q*, whatever its shape."""
        return self if self.label is None else replace(self, label="Q", probability=1.0)


def classify_beats(
    beats: BeatInputs, models: Mapping[int, BeatModel], kinds: BeatKinds
) -> list[JudgedBeat]:
    """Classify beats, each with its wearer's model; in the order in which they come.

    Parameters
    ----------
    beats : BeatInputs
        As they came from `BeatSegments`.
    models : mapping of int to BeatModel
        Model of each row; of one without it the beats have no class.
    kinds : BeatKinds
        Kinds of the beats of all rows; they are told of these.
    """
    rows, at = beats.rows.tolist(), beats.at.tolist()
    asked = [i for i in np.flatnonzero(beats.settled).tolist() if rows[i] in models]
    said = _probabilities(beats, asked, [models[rows[i]] for i in asked])
    judged: dict[int, JudgedBeat] = {}
    of_classes: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i in asked:
        of_classes[models[rows[i]].card.classes].append(i)
    for classes, mine in of_classes.items():
        probability = np.array([said[i] for i in mine])
        steady = kinds.steadied(beats.rows[mine], beats.inputs[mine], probability, classes)
        atria = [place for place, name in enumerate(classes) if name in _OF_ATRIA]
        of_atria = np.minimum(np.add.reduce(steady[:, atria].astype(np.float64), axis=1), 1)
        labels = msgspec.convert(classes, tuple[BeatClass, ...])
        best = zip(steady.argmax(axis=1).tolist(), steady.max(axis=1).tolist(), strict=True)
        for i, (place, most), atrial in zip(mine, best, of_atria.tolist(), strict=True):
            judged[i] = JudgedBeat(rows[i], at[i], labels[place], most, atrial)
    return [judged.get(i) or JudgedBeat(rows[i], at[i], None, 0.0) for i in range(len(beats))]


def _probabilities(
    beats: BeatInputs, asked: Sequence[int], models: Sequence[BeatModel]
) -> dict[int, NDArray[np.float32]]:
    """Return the probability of each class of some beats, each by its model."""
    said: dict[int, NDArray[np.float32]] = {}
    of_model: dict[int, list[int]] = defaultdict(list)
    own: list[tuple[int, BeatModel, BeatLayers]] = []
    by_id = {id(model): model for model in models}
    for i, model in zip(asked, models, strict=True):
        if model.layers is None:
            of_model[id(model)].append(i)
        else:
            own.append((i, model, model.layers))
    if own:
        these = [i for i, _, _ in own]
        by_layers = own_probability(beats.inputs[these], [layers for _, _, layers in own])
        for (i, model, _), probability in zip(own, by_layers, strict=True):
            said[i] = probability
            if beats.at[i] % CHECK_EVERY == 0:
                said[i] = checked(model, beats.inputs[i], probability)
    for number, mine in of_model.items():
        said |= dict(zip(mine, by_id[number].probability(beats.inputs[mine]), strict=True))
    return said


@dataclass(eq=False, slots=True)
class LiveBeats(Stateful):
    """A stream whose beats are judged: what was published of them that may still change.

    Parameters
    ----------
    stack : BeatStack
        What is known of the beats of all wearers whose beats are judged.
    row : int
        The wearer's.
    publish_from : int
        Stream index from which beats are published; those before it were before a restart.
    withdraw_from : int
        The same of the ends of seconds by which beats are withdrawn.
    """

    layout = Layout(
        "live beats",
        3,
        publish_from=Index,
        withdraw_from=Index,
        _open=Annotated[list[Index], msgspec.Meta(max_length=MAX_OPEN)],
        _before=Index | None,
        _ended=Index,
        _usable=bool,
    )

    stack: BeatStack
    row: int
    publish_from: int = 0
    withdraw_from: int = 0
    _open: list[int] = field(default_factory=list)
    _before: int | None = None
    _ended: int = 0
    _usable: bool = True

    def take(self, beat: JudgedBeat) -> tuple[bool, int | None]:
        """Take the next beat of the stream.

        Returns
        -------
        tuple of bool and (int or None)
            Whether it stands: it was judged, and its second is not known to be no signal. And the
            samples since the beat before; None if that did not stand or was more than 4 s ago.
        """
        second = beat.at // WINDOW * WINDOW + WINDOW
        stands = beat.label is not None and (second != self._ended or self._usable)
        before, self._before = self._before, beat.at if stands else None
        if not stands:
            return False, None
        if second > self._ended:
            self._open = [*self._open, beat.at][-MAX_OPEN:]
        rr = beat.at - before if before is not None else None
        return True, rr if rr is None or rr <= LONGEST_RR else None

    def second(self, end: int, state: SignalState) -> list[int]:
        """Take the end of a second and its state; return the beats in it that are withdrawn."""
        self._ended, self._usable = end, state == "signal"
        over = [at for at in self._open if at < end]
        self._open = [at for at in self._open if at >= end]
        withdrawn = [] if self._usable else over
        if self._before in withdrawn:
            self._before = None
        return withdrawn

    def move(self, row: int, first: int) -> None:
        """Go on with another row, that of another lead, from stream index ``first`` on."""
        self.row = row
        self.reset(first)

    def reset(self, first: int) -> None:
        """Begin anew at stream index ``first``, after a gap."""
        self.stack.reset(self.row, first)
        self._before = None
