"""The worst cases of a page: which, in which order, and what their pictures show."""

import numpy as np
import pytest
from matplotlib.image import imread

from ecgmon.core.constants import RATE
from replay.simulator.simulation import simulate
from trainer.evaluation.rhythms.page import worst
from trainer.evaluation.rhythms.record import (
    ASYSTOLE,
    ATRIAL,
    FIBRILLATION,
    TACHYCARDIA,
    RhythmRecord,
)
from trainer.evaluation.worst_cases import MOST, SHOWN_S, WorstCase, draw_all

RECORD = simulate("normal", duration_s=60).record
KINDS = (FIBRILLATION, TACHYCARDIA, ATRIAL, ASYSTOLE)


def s(*spans):
    return [(start * RATE, stop * RATE) for start, stop in spans]


def record(annotated, announced, noise=()):
    nothing = {kind: [] for kind in KINDS}
    return RhythmRecord("a", 3600 * RATE, nothing | annotated, nothing | announced, s(*noise))


def test_the_longest_that_is_missed_or_false_comes_first():
    found = worst(
        [
            record(
                {FIBRILLATION: s((10, 19), (100, 130), (200, 260)), ASYSTOLE: s((300, 305))},
                {
                    FIBRILLATION: s((210, 300), (500, 512), (700, 705)),
                    ATRIAL: s((900, 990)),
                    ASYSTOLE: s((1000, 1030)),
                },
                noise=[(701, 702)],
            )
        ]
    )
    assert [(case.what, case.span[0] // RATE) for case in found] == [
        ("atrial fibrillation, false alarm", 900),
        ("ventricular rhythm, not alarmed", 100),
        ("ventricular rhythm, false alarm", 500),
        ("asystole, not alarmed", 300),
    ]
    assert found[0].title == "a at 900 s, atrial fibrillation, false alarm, 90 s"


def columns(picture, colour):
    """Return the columns of a picture that have some pixels of a colour."""
    image = imread(picture)[..., :3]
    same = (np.abs(image - np.array(colour)) < 0.02).all(axis=2)
    return np.flatnonzero(same.any(axis=0))


def test_a_picture_shows_the_signal_and_where_each_side_saw_it(tmp_path):
    (tmp_path / "worst-9.png").write_bytes(b"old")
    case = WorstCase("a", "missed", (20 * RATE, 24 * RATE), s((20, 24)), s((27, 60)))
    assert draw_all(tmp_path, [case] * 9, lambda _: RECORD) == [
        ("a at 20 s, missed, 4 s", f"worst-{number}.png") for number in range(1, MOST + 1)
    ]
    assert len([*tmp_path.glob("*.png")]) == MOST
    picture = tmp_path / "worst-1.png"
    annotated = columns(picture, (0xA0 / 255, 0x15 / 255, 0x90 / 255))
    announced = columns(picture, (0x2F / 255, 0x6F / 255, 0xA8 / 255))
    # From 15 to 29 s, between 6 and 99 % of 1000 columns.
    assert np.ptp(annotated) == pytest.approx(4 / 14 * 930, abs=3)
    assert np.ptp(announced) == pytest.approx(2 / 14 * 930, abs=3)
    assert annotated[0] == pytest.approx(60 + 5 / 14 * 930, abs=3)


def test_of_a_long_case_the_beginning_is_shown(tmp_path):
    case = WorstCase("a", "missed", (0, 60 * RATE), s((0, 60)))
    draw_all(tmp_path, [case], lambda _: RECORD)
    bar = columns(tmp_path / "worst-1.png", (0xA0 / 255, 0x15 / 255, 0x90 / 255))
    assert np.ptp(bar) == pytest.approx(930, abs=4)
    assert SHOWN_S < 60
