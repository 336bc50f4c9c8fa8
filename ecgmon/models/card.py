"""Model cards: what a bundle says of its model, as typed data that is checked when it is read."""

from typing import Annotated, Literal, TypeVar

import msgspec

from ecgmon.metrics.two_classes import Confusion
from ecgmon.signal import Geometry, scale
from ecgmon.signal.filter import BAND_HZ, ORDER
from ecgmon.signal.geometry import AmplitudeUnit
from ecgmon.signal.usual_beat import SAMPLES

Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A probability or a share."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A count; bounded, so that a float holds it exactly and figures can be computed from it."""
LabelSource = Literal["annotations", "review", "assumed normal"]
"""Where the labels come from: experts' annotations, a clinician's review, or no one's judgement."""


Input = Literal["window", "beat", "rhythm", "atrial"]
"""What a model judges: windows of a second, single beats, the ventricular rhythm of the last
seconds, or the atrial rhythm of the last beats."""


class ScoredSpan(msgspec.Struct, frozen=True):
    """Windows ``start`` to ``stop - 1`` of a record."""

    record: str
    start: Count
    stop: Count


class Conditioning(msgspec.Struct, frozen=True):
    """The signal processing that a model was trained behind."""

    band_hz: tuple[float, float] = BAND_HZ
    order: int = ORDER
    scale_seconds: int = scale.SECONDS
    scale_floor_mv: float = scale.FLOOR_MV


class Validation(msgspec.Struct, frozen=True):
    """Records that a model was tested on but not fitted to, and its counts of windows there."""

    protocol: str
    records: tuple[str, ...]
    tp: Count
    fp: Count
    tn: Count
    fn: Count

    @property
    def confusion(self) -> Confusion:
        """The counts with their figures."""
        return Confusion(self.tp, self.fp, self.tn, self.fn)


class AnyCard(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of the cards of all kinds of models."""

    v: Literal[1] = 1
    input: Input = "window"
    name: str
    network: str
    parameters: Count
    wearer: str | None
    trained_on: tuple[ScoredSpan, ...]
    seed: int
    versions: dict[str, str]
    created: str
    graph_bytes: int = 0

    def has_seen(self, record: str, second: int) -> bool:
        """Tell whether a second of a record took part in training."""
        return any(s.record == record and s.start <= second < s.stop for s in self.trained_on)


AnyCardT = TypeVar("AnyCardT", bound=AnyCard)


class JudgedClasses(msgspec.Struct, frozen=True):
    """Beats or seconds that a model was judged on without being fitted to them.

    Parameters
    ----------
    protocol : str
        What separates them from those fitted to.
    records : tuple of str
        Whose they are.
    counts : tuple of tuple of int
        By class (rows) and by what they were called (columns).
    """

    protocol: str
    records: tuple[str, ...]
    counts: tuple[tuple[Count, ...], ...]


class ClassCard(AnyCard, frozen=True, kw_only=True):
    """Fields of the cards of models that tell several classes apart.

    ``validation`` has people on whom something was chosen, ``evaluation`` others.
    """

    classes: tuple[str, ...]
    rate: Count
    validation: JudgedClasses
    evaluation: JudgedClasses

    @property
    def fitted(self) -> tuple[int, ...]:
        """How many of each class the model was fitted to."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        """Raise ValueError where what is counted by class is not of its classes."""
        judged = (self.validation.counts, self.evaluation.counts)
        lengths = {len(of) for counts in judged for of in (counts, *counts)} | {len(self.fitted)}
        if lengths != {len(self.classes)}:
            raise ValueError(f"it does not count by its {len(self.classes)} classes")
        if not all(any(map(any, counts)) for counts in judged):
            raise ValueError(f"it was judged on no {self.input}")


class Card(AnyCard, frozen=True, kw_only=True):
    """Card of a window model: all facts that a user or the monitor needs.

    ``validation`` has the windows by which epoch and threshold were chosen. ``evaluation``, where
    there is one, has windows that no choice was based on. ``usual_beat`` is that of the enrolment
    (`ecgmon.signal.usual_beat`), `SAMPLES` long; empty where it is not known.
    """

    input: Literal["window"] = "window"
    classes: tuple[str, str] = ("normal", "abnormal")
    threshold: Unit
    history_s: float
    look_ahead_s: float
    rate: int
    unit: AmplitudeUnit = "window"
    conditioning: Conditioning = Conditioning()
    enrolment: ScoredSpan | None = None
    labels: LabelSource = "annotations"
    windows: Count
    abnormal_windows: Count
    validation: Validation
    evaluation: Validation | None = None
    usual_beat: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError where the usual beat is of another length."""
        if len(self.usual_beat) not in (0, SAMPLES):
            raise ValueError(f"its usual beat has not {SAMPLES} samples")

    @property
    def geometry(self) -> Geometry:
        """Which samples around a window the model sees."""
        return Geometry(self.history_s, self.look_ahead_s, self.rate, self.unit)


def to_enrol_again(card: AnyCard, generic: AnyCard) -> bool:
    """Tell whether a wearer's model of windows sees the signal in another way than the generic one.

    It was made from a generic model that is no longer built in. It serves as before, but only a new
    enrolment gives the wearer what today's generic model has learned.
    """
    if not (isinstance(card, Card) and isinstance(generic, Card)):
        return False
    return card.wearer is not None and card.geometry != generic.geometry
