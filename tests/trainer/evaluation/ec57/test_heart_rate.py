"""Heart rates against those of the reference's beats, worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.constants import RATE
from ecgmon.records.formats.wfdb.annotations import Annotation
from trainer.evaluation.ec57.heart_rate import RateErrors, measured, reference_rates
from trainer.evaluation.ec57.marks import Marks


def every(rr, n, first=0):
    return Marks(first + rr * np.arange(n), "N" * n)


def rate(second, value):
    return Annotation(RATE * second, 23, 0, f"{value}")


def test_the_reference_s_rate_is_that_of_the_last_eight_intervals_at_each_second_s_end():
    at, rates = reference_rates(every(270, 40), 10_000)
    assert at.tolist() == list(range(2 * RATE, 10_000, RATE))
    assert rates == pytest.approx(80)
    slower = Marks(np.array([0, 360, 720, 1080, 1800, 2520]), "NNNNNN")
    at, rates = reference_rates(slower, 2520)
    assert dict(zip(at.tolist(), rates.tolist(), strict=True))[2520] == pytest.approx(
        60 * 360 * 5 / 2520
    )


def test_it_is_unknown_after_four_seconds_without_a_beat_and_starts_anew_after_flutter():
    beats = np.array([0, 360, 720, 5000, 5360, 5720])
    at, _ = reference_rates(Marks(beats, "NNNNNN"), 6000)
    assert at.tolist() == [720, 1080, 1440, 1800, 2160, 5040, 5400, 5760]
    at, _ = reference_rates(Marks(beats, "NNNNNN", flutter=[(800, 4000)]), 6000)
    assert at.tolist() == [720, 5760]


def test_errors_are_of_the_nearest_reference():
    errors = RateErrors.compare(every(360, 100), [rate(10, 63), rate(20, 56)], 0, 36_000)
    assert (errors.n, errors.rms) == (2, pytest.approx((25 / 2) ** 0.5))
    assert errors.normalized == pytest.approx((25 / 2) ** 0.5 / 60)
    # The reference stops at 720 samples, and its last rate is the nearest of all later ones.
    late = RateErrors.compare(every(360, 3), [rate(50, 61)], 0, 36_000)
    assert (late.n, late.rms) == (1, pytest.approx(1))


def test_the_learning_time_does_not_count_and_nothing_gives_no_error():
    errors = RateErrors.compare(every(360, 100), [rate(1, 0.5), rate(20, 60)], 10 * RATE, 36_000)
    assert (errors.n, errors.rms) == (1, 0)
    for reference, test in ((every(360, 100), []), (every(360, 1), [rate(3, 60)])):
        nothing = RateErrors.compare(reference, test, 0, 36_000)
        assert (nothing.n, nothing.rms, nothing.normalized) == (0, None, None)


def test_sums_are_of_all_measurements():
    one, other = RateErrors(2, 8.0, 120.0), RateErrors(2, 0.0, 200.0)
    assert (one + other).rms == pytest.approx(2**0.5)
    assert (one + other).normalized == pytest.approx(2**0.5 / 80)


@pytest.mark.parametrize("note", ["", "fast", "nan", "inf", "-3", "0", "1e9", "\udcff"])
def test_a_note_that_is_no_rate_is_passed_over(note):
    assert measured(Annotation(0, 23, 0, note)) is None
    assert measured(Annotation(0, 23, 1, "60")) is None
    assert measured(Annotation(0, 22, 0, "60")) is None


@given(st.lists(st.integers(80, 2000), min_size=1, max_size=40), st.integers(0, 5000))
def test_rates_are_those_of_the_plain_rule(intervals, first):
    beats = first + np.cumsum([0, *intervals])
    stop = int(beats[-1]) + 3000
    at, rates = reference_rates(Marks(beats, "N" * len(beats)), stop)
    known = dict(zip(at.tolist(), rates.tolist(), strict=True))
    for end in range(RATE, stop + 1, RATE):
        last = beats[beats <= end][-9:]
        if len(last) < 3 or end - last[-1] > 4 * RATE:
            assert end not in known
        else:
            assert known[end] == pytest.approx(60 * RATE * (len(last) - 1) / (last[-1] - last[0]))
