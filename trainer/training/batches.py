"""Batches for training, and the loss of each kind of batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from trainer.data import noise, rhythms
from trainer.data.dataset import RecordSet
from trainer.data.rhythms import (
    ABNORMAL_BEAT,
    ABNORMAL_RHYTHM,
    LONGEST_S,
    NORMAL_BEAT,
    NORMAL_RHYTHM,
    RUN_ON,
    SHORTER_S,
    Stretch,
    faster,
    premature,
)
from trainer.networks.window_networks import BeatNet, WindowNetwork

Noise = Sequence[NDArray[np.float32]]
SEGMENT_S: Final = 10
"""A training segment has this many seconds, without its history and look-ahead."""
WARM_S: Final = 4
"""If the rhythm is made faster, this many seconds before the segment are too, for its history."""


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Windows ``start`` to ``stop - 1`` of records, which give ``share`` examples of each batch.

    A ``stop`` past a record's end means its end. Each record drawn gives ``together`` successive
    examples of the batch.
    """

    sets: Sequence[RecordSet]
    share: int
    start: int = 0
    stop: int = 1_000_000
    together: int = 1

    def draw(self, rng: np.random.Generator, length: int) -> list[tuple[RecordSet, int]]:
        """Draw ``share`` stretches of ``length`` windows, longer records more often."""
        room = np.array([min(self.stop, len(s)) - self.start - length + 1 for s in self.sets])
        which = rng.choice(len(self.sets), self.share // self.together, p=room / room.sum())
        each = np.repeat(which, self.together).tolist()
        return [(self.sets[i], self.start + int(rng.integers(room[i]))) for i in each]

    @property
    def windows(self) -> int:
        """Number of windows in the group."""
        return sum(min(self.stop, len(s)) - self.start for s in self.sets)


Network_contra = TypeVar("Network_contra", bound=nn.Module, contravariant=True)


class Batches(Protocol[Network_contra]):
    """A source of batches, and the loss of a network on one of them."""

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return the next batch."""
        ...

    def loss(self, network: Network_contra, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the mean loss of a batch."""
        ...

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        ...


class WindowBatches:
    """Single labelled windows without augmentation, for networks that judge one window."""

    def __init__(self, groups: Sequence[Group], _: Noise = ()) -> None:
        self._groups = groups

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return inputs, shape (n, inputs), and labels, int8 of shape (n,)."""
        picks = [pick for group in self._groups for pick in group.draw(rng, 1)]
        inputs = np.stack([s.inputs[w] for s, w in picks])
        return torch.from_numpy(inputs), torch.from_numpy(np.stack([s.labels[w] for s, w in picks]))

    def loss(self, network: WindowNetwork, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the binary cross-entropy over the labelled windows."""
        inputs, labels = batch
        known = labels != UNLABELLED
        return functional.binary_cross_entropy_with_logits(
            network(inputs)[known], (labels[known] == ABNORMAL).float()
        )

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return max(group.windows // group.share for group in self._groups)


class SegmentBatches:
    """Stretches of signal with targets along time, for `BeatNet`.

    Amplitude and noise vary at random, as between electrodes or amplifiers. Recorded noise is added
    to some stretches, some are made faster, and in some normal beats are made premature.

    Parameters
    ----------
    groups : sequence of Group
        Records and windows that the stretches come from.
    recordings : sequence of ndarray of float32
        Recordings of noise (`trainer.data.noise`).
    premature : float
        Share of the stretches in which beats are made premature, if possible.
    faster : float
        Share of the stretches whose rhythm is made faster.
    run_on : float
        Probability that a premature beat is followed by another (`trainer.data.rhythms`).
    smoothing : float
        Label smoothing (Szegedy et al. 2016): targets are moved this share of the way to 0.5.
    """

    GAIN = 0.2
    """Standard deviation of the logarithm of the random gain."""
    NOISE = 0.03
    """Largest standard deviation of the white noise, in units of the amplitude scale."""
    ALONG_TIME = 4.0
    """Weight of the loss of abnormal beats along time; the loss of windows has weight 1."""
    BEATS = 1.0
    """Weight of the loss of all beats along time."""
    criterion = staticmethod(functional.binary_cross_entropy_with_logits)

    def __init__(
        self,
        groups: Sequence[Group],
        recordings: Noise = (),
        *,
        premature: float = 0.3,
        faster: float = 0.3,
        run_on: float = RUN_ON,
        smoothing: float = 0.0,
    ) -> None:
        self._groups = groups
        self._recordings = recordings
        self._premature = premature
        self._faster = faster
        self._run_on = run_on
        self._smoothing = smoothing
        self._warm = WARM_S if faster else 0
        self._drawn = (  # later seconds replace the samples that are taken out
            SEGMENT_S + (LONGEST_S if premature else 0) + (SHORTER_S + WARM_S if faster else 0)
        )

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return signal, beats along time, shape (n, s, steps), and window labels, (n, s)."""
        picks = [pick for group in self._groups for pick in group.draw(rng, self._drawn)]
        stretches = [self._stretch(record, window, rng) for record, window in picks]
        signal = np.stack([stretch.signal for stretch in stretches])
        signal *= np.exp(rng.normal(0, self.GAIN, (len(signal), 1))).astype(np.float32)
        level = rng.uniform(0, self.NOISE, (len(signal), 1)).astype(np.float32)
        signal += level * rng.standard_normal(signal.shape, dtype=np.float32)
        noise.add(signal, self._recordings, rng)
        shape = (len(picks), SEGMENT_S, -1)
        beats = np.stack([stretch.beats for stretch in stretches]).reshape(shape)
        known = np.stack([stretch.known for stretch in stretches]).reshape(shape)
        labels = np.where((beats == ABNORMAL_BEAT).any(-1), ABNORMAL, NORMAL)
        labels[~(known.all(-1) & beats.any(-1))] = UNLABELLED
        rhythm = beats == ABNORMAL_RHYTHM
        labels[rhythm.any(-1)] = UNLABELLED
        labels[rhythm.all(-1)] = ABNORMAL
        return torch.from_numpy(signal), torch.from_numpy(beats), torch.from_numpy(labels)

    def _stretch(self, record: RecordSet, window: int, rng: np.random.Generator) -> Stretch:
        geometry, steps = BeatNet.geometry, BeatNet.steps_per_second
        windows = slice(window, window + self._drawn)
        known = np.repeat(record.taught[windows] != UNLABELLED, steps)
        stretch = Stretch(_signal(record, windows), record.beats[windows].ravel() * known, known)
        made = (geometry.rate, steps, round(geometry.history_s * geometry.rate), rng)
        if rng.random() < self._faster:
            stretch = faster(stretch, *made)
        stretch = Stretch(
            stretch.signal[self._warm * geometry.rate :],
            stretch.beats[self._warm * steps :],
            stretch.known[self._warm * steps :],
        )
        if rng.random() < self._premature:
            stretch = premature(stretch, *made, self._run_on)
        seen = SEGMENT_S * geometry.rate + geometry.inputs - geometry.rate
        n = SEGMENT_S * steps
        return Stretch(stretch.signal[:seen], stretch.beats[:n], stretch.known[:n])

    def loss(self, network: WindowNetwork, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the loss of the windows, of the abnormal beats and of the beats along time."""
        if not isinstance(network, BeatNet):
            raise TypeError("segments are for networks with outputs along time")
        signal, beats, labels = batch
        logits = network.along_time(signal)
        # Whether an outermost step is beside a beat of the next window is unknown here.
        inner = torch.ones(beats.shape[-1], dtype=torch.bool)
        inner[[0, -1]] = False
        labelled = labels != UNLABELLED
        # Nobody knows where the beats of these are, only that in a normal one none is abnormal.
        rhythm, calm = beats == ABNORMAL_RHYTHM, beats == NORMAL_RHYTHM
        known = labelled[..., None].expand_as(beats) & ~rhythm
        beat = (beats == NORMAL_BEAT) | (beats == ABNORMAL_BEAT)
        along_time = (
            self._loss(channel.reshape(beats.shape), target, where & (inner | target.bool()))
            for channel, target, where in (
                (logits[:, 0], _widened(beats == ABNORMAL_BEAT), known),
                (logits[:, 1], _widened(beat), known & ~calm),
            )
        )
        abnormal_loss, beat_loss = along_time
        windows = network.of_windows(logits[:, 0])
        window_loss = self._loss(windows, (labels == ABNORMAL).float(), labelled)
        return window_loss + self.ALONG_TIME * abnormal_loss + self.BEATS * beat_loss

    def _loss(self, logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
        if not known.any():
            return logits.sum() * 0  # nothing of the kind is in this batch
        softened = target[known] * (1 - self._smoothing) + self._smoothing / 2
        return self.criterion(logits[known], softened)

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return max(group.windows // (group.share * SEGMENT_S) for group in self._groups)


DECIDED_BY: Final = {
    "segment, s": SEGMENT_S,
    "warm, s": WARM_S,
    "gain": SegmentBatches.GAIN,
    "noise": SegmentBatches.NOISE,
    "weight along time": SegmentBatches.ALONG_TIME,
    "weight of beats": SegmentBatches.BEATS,
    "rhythms": rhythms.DECIDED_BY,
    "recordings": noise.DECIDED_BY,
}
"""Settings that decide batches, besides the arguments of `SegmentBatches`."""


def _widened(here: Tensor) -> Tensor:
    """Mark the steps beside a mark as well, only inside the same window.

    Each window's targets then depend on its own beats alone and reveal no other window's label.
    """
    wide = functional.max_pool1d(here.float().flatten(0, 1), 3, 1, 1)
    return wide.reshape(here.shape)


def _signal(record: RecordSet, windows: slice) -> NDArray[np.float32]:
    """Return the signal of windows with history and look-ahead, as the network sees it."""
    geometry = BeatNet.geometry
    stop = windows.stop * geometry.rate + geometry.inputs - geometry.rate
    seen = record.stream[windows.start * geometry.rate : stop]
    return seen if geometry.unit == "second" else seen / np.median(record.scale[windows])
