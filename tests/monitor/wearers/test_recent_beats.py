"""What is asked of the last beats is what all that are kept say, wherever they are looked for."""

import numpy as np
import pytest

from ecgmon.core.constants import RATE
from ecgmon.core.labels import ECTOPIC
from ecgmon.signal import Second
from monitor.wearers.recent_beats import DISORDER, KIN, NEAR, RecentBeats


def random_stream(rng):
    """Return recent beats, and the same as (index, kin, weak) and (index, class, probability)."""
    recent, known, named, at, end = RecentBeats(), [], [], 0, 0
    for _ in range(int(rng.integers(5, 60))):
        end += RATE
        beats = []
        while at < end:
            beats.append(at)
            at += int(rng.integers(60, 700))
        if beats and rng.random() < 0.1:  # another lead: its first beat may lie a little before
            at = beats[-1] - int(rng.integers(0, min(DISORDER, 60)))
        weak = tuple(beat for beat in beats if rng.random() < 0.2)
        kin = tuple(rng.integers(0, 5, len(beats)).tolist())
        recent.second(Second(0, end, "signal", tuple(beats), weak, kin=kin))
        known += [(beat, alike, beat in weak) for beat, alike in zip(beats, kin, strict=True)]
        for beat in beats:
            if rng.random() < 0.9:
                named.append((beat, str(rng.choice([*"NNNNNSVF"])), float(rng.random())))
                recent.name(*named[-1])
    return recent, known[-64:], named[-64:], end


@pytest.mark.parametrize("seed", range(30))
def test_each_answer_is_that_of_all_beats_that_are_kept(seed):
    rng = np.random.default_rng(seed)
    recent, known, named, end = random_stream(rng)
    for start in range(0, end + RATE, RATE // 2):
        stop = start + RATE
        mine = [one for one in named if start <= one[0] < stop]
        strong = {at for at, _, weak in known if start <= at < stop and not weak}
        ectopic = [probability for _, label, probability in mine if label in ECTOPIC]
        assert recent.ectopic(start, stop) == max(ectopic, default=None)
        is_normal = mine and all(label == "N" for _, label, _ in mine)
        is_normal = is_normal and strong <= {at for at, _, _ in mine}
        least = 1 - min(one[2] for one in mine) if is_normal else None
        assert recent.all_normal(start, stop) == least
        near = [kin for at, kin, _ in known if start - NEAR <= at < start + NEAR]
        assert recent.is_strange(start) == (not any(kin >= KIN for kin in near))
        assert not recent.only_paced(start, stop)


def test_a_second_is_paced_where_each_of_its_strong_beats_follows_a_spike():
    recent = RecentBeats()
    recent.spikes([80, 380])
    recent.second(Second(0, RATE, "signal", (100, 200), (200,)))
    recent.second(Second(0, 2 * RATE, "signal", (400, 600)))
    assert recent.only_paced(0, RATE)
    assert not recent.only_paced(RATE, 2 * RATE)
    assert not recent.only_paced(2 * RATE, 3 * RATE)


@pytest.mark.parametrize(("paced", "expected"), [(8, True), (7, False), (0, False)])
def test_a_rhythm_is_paced_where_most_of_its_beats_are(paced, expected):
    recent = RecentBeats()
    beats = [200 + 300 * i for i in range(10)]
    recent.spikes([beat - 20 for beat in beats[:paced]])
    recent.second(Second(0, 9 * RATE, "signal", tuple(beats)))
    assert recent.is_paced_rhythm is expected
