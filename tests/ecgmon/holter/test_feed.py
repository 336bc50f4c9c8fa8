"""Published messages in any order and more than once come to the same totals."""

import random
from itertools import groupby
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from ecgmon.holter import feed as feed_module
from ecgmon.holter.feed import HORIZON, TotalsFeed
from ecgmon.holter.fold import BeatFold
from ecgmon.wire import messages

SECOND = 360
IDS = {"wearer": "ann", "stream": f"{7:016x}"}


def beat(at, label="N", rr=None, **ids):
    return messages.Beat(**IDS | ids, at=at, label=label, probability=0.9, rr=rr)


def withdrawn(at):
    return messages.BeatWithdrawn(**IDS, at=at)


def window(first, state="signal", **ids):
    unknown = dict.fromkeys(("probability", "abnormal", "heart_rate"))
    return messages.Window(**IDS | ids, **unknown, first=first, state=state, model="m")


def gap(first, count, *, judged=False):
    return messages.Gap(**IDS, first=first, count=count, judged=judged)


def fibrillation(at, state, **ids):
    return messages.Alarm(
        **IDS | ids,
        alarm=3,
        kind="atrial-fibrillation",
        priority="low",
        time=1.0,
        at=at,
        category="physiological",
        state=state,
        text="atrial fibrillation",
    )


def totals(published):
    feed = TotalsFeed()
    for message in published:
        feed.take(message)
    return feed.totals()


def in_a_row(labels, rr=300, first=300):
    """Beats that follow each other."""
    return [beat(first + i * rr, label, rr if i else None) for i, label in enumerate(labels)]


@st.composite
def recordings(draw):
    """Return the messages of a few minutes, in the order of time, and their interruptions."""
    n = draw(st.integers(1, 120))
    labels = draw(st.lists(st.sampled_from("NNNNVVSFQ"), min_size=n, max_size=n))
    beats = in_a_row(labels, rr=draw(st.sampled_from([150, 300, 700])))
    some = st.sets(st.integers(0, n - 1), max_size=6)
    gone = [withdrawn(beats[i].at) for i in sorted(draw(some))]
    windows = [
        window(at, draw(st.sampled_from(["signal"] * 9 + ["noisy", "absent"])))
        for at in range(0, beats[-1].at, SECOND)
    ]
    gaps = [gap(beats[i].at + 1, 7) for i in sorted(draw(some))]
    return beats, gone, windows, gaps


def expected(beats, gone, windows, gaps):
    """Everything sorted, without a line of the feed's own code."""
    left = {one.at for one in gone}
    cuts = sorted(
        left
        | {one.first for one in windows if one.state != "signal"}
        | {one.first + SECOND for one in windows if one.state != "signal"}
        | {one.first for one in gaps}
    )
    fold, newest = BeatFold(), -1
    for one in beats:
        if any(newest < cut <= one.at for cut in cuts):
            fold.interrupt()
        newest = one.at
        if one.at not in left:
            fold.beat(one.at, one.label, one.rr, 0)
    fold.interrupt()
    counted = fold.totals
    counted.withdrawn = len(left)
    counted.missing = sum(one.count for one in gaps)
    for one in windows:
        counted.seconds[one.state] += 1
    return counted


@given(recordings(), st.integers(0, 2**32))
def test_whatever_comes_late_or_twice_counts_once_in_its_place(recording, seed):
    draw = random.Random(seed)  # noqa: S311 - an order for a test
    published = [message for kind in recording for message in kind]
    twice = [*published, *draw.sample(published, len(published) // 3)]

    def arrives(message):
        at = message.at if isinstance(message, messages.Beat | messages.BeatWithdrawn) else None
        return (message.first if at is None else at) + draw.randrange(HORIZON // 3)

    assert totals(sorted(twice, key=arrives)) == expected(*recording)


def test_what_comes_again_after_the_horizon_is_passed_over():
    beats = in_a_row("NNVVN" * 20)
    again = [*beats, beats[0], withdrawn(beats[1].at), beats[2]]
    assert beats[-1].at - beats[2].at > HORIZON // 2
    feed = TotalsFeed(horizon=HORIZON // 2)
    for message in again:
        feed.take(message)
    assert feed.totals() == totals(beats)


def test_totals_may_be_asked_for_at_any_time():
    published, feed = in_a_row("NNVVVNNNVVN" * 30), TotalsFeed()
    for number, message in enumerate(published, 1):
        feed.take(message)
        if number % 37 == 0:
            assert feed.totals() == totals(published[:number])
    assert feed.totals() == totals(published)
    assert feed.totals().ventricular.runs == 30


def test_nothing_reaches_from_one_stream_to_the_next():
    first = in_a_row("NNNVV")
    second = [beat(one.at, one.label, one.rr, stream=f"{8:016x}") for one in in_a_row("VNN")]
    both = totals([*first, *second])
    assert both.ventricular.couplets == 1
    assert both.classes == {"N": 5, "V": 3}


def test_a_long_pause_is_one_and_a_gap_is_none():
    pause = [beat(300, "N"), beat(300 + 10 * SECOND, "N", None)]
    assert (totals(pause).pauses, totals(pause).longest_rr) == (1, 10 * SECOND)
    lost = [pause[0], gap(400, 3000), pause[1]]
    assert (totals(lost).pauses, totals(lost).longest_rr, totals(lost).missing) == (0, 0, 3000)
    judged_gap = [pause[0], gap(400, 3000, judged=True), pause[1]]
    assert (totals(judged_gap).pauses, totals(judged_gap).missing) == (1, 0)
    noisy = [pause[0], window(720, "noisy"), pause[1]]
    assert totals(noisy).pauses == 0
    unpublished = [pause[0], beat(300 + 600, "N", 300)]
    assert (totals(unpublished).longest_rr, totals(unpublished).rate.mean) == (0, None)


def test_hours_go_by_the_clock_that_is_given():
    feed = TotalsFeed(lambda _, at: 7_195.0 + at / SECOND)
    for message in in_a_row("NNV" * 10, rr=SECOND):
        feed.take(message)
    hours = feed.totals().hours
    assert {number: hour.classes.total() for number, hour in hours.items()} == {1: 5, 2: 25}


@given(st.lists(st.tuples(st.integers(0, 2**62), st.sampled_from("NSVFQ")), max_size=300))
def test_memory_is_bounded_whatever_comes(beats_given):
    feed = TotalsFeed(horizon=2**62)
    with mock.patch.object(feed_module, "MOST_WAITING", 50):
        for at, label in beats_given:
            feed.take(beat(at, label))
            feed.take(withdrawn(at // 2))
            assert len(feed._order) == len(feed._waiting) <= 50
        feed.totals()


def test_what_waits_too_long_is_counted(monkeypatch):
    monkeypatch.setattr(feed_module, "MOST_WAITING", 50)
    feed = TotalsFeed(horizon=3600 * SECOND)
    for message in in_a_row("N" * 500):
        feed.take(message)
        assert len(feed._order) <= 50
    assert feed.totals() == totals(in_a_row("N" * 500))


def test_a_journal_may_have_minutes_of_windows_before_their_beats():
    beats = in_a_row("NNVNVV" * 300)
    windows = [window(at) for at in range(0, beats[-1].at, SECOND)]
    feed = TotalsFeed(horizon=3600 * SECOND)
    for message in [*windows, *beats]:
        feed.take(message)
    assert feed.totals() == totals(sorted([*windows, *beats], key=arrived))


def arrived(message):
    return message.at if isinstance(message, messages.Beat) else message.first + SECOND


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=8),
    st.lists(st.sampled_from(["signal"] * 5 + ["noisy"]), min_size=60, max_size=60),
    st.sampled_from(["cleared", "latched"]),
    st.integers(0, 2**32),
)
def test_the_burden_is_the_share_of_the_signal_in_which_fibrillation_was_alarmed(
    lengths, states, over, seed
):
    draw = random.Random(seed)  # noqa: S311 - an order for a test
    published, holds, at = [window(i * SECOND, state) for i, state in enumerate(states)], [], 0
    for number, seconds in enumerate(lengths):
        published.append(fibrillation(at * SECOND, over if number % 2 else "raised"))
        holds += [number % 2 == 0] * seconds
        at += seconds
    holds = (holds + [holds[-1]] * 60)[:60]

    def arrives(message):
        at = message.at if isinstance(message, messages.Alarm) else message.first
        return at + draw.randrange(HORIZON // 3)

    found = totals(sorted(published, key=arrives))
    inside = [h and state == "signal" for h, state in zip(holds, states, strict=True)]
    assert found.fibrillation.samples == sum(inside) * SECOND
    assert found.burden == (sum(inside) / states.count("signal") if "signal" in states else None)
    runs = [[*run] for held, run in groupby(range(60), key=holds.__getitem__) if held]
    assert found.fibrillation.episodes == sum(any(inside[i] for i in run) for run in runs)


def test_an_episode_goes_on_from_one_stream_to_the_next_and_ends_with_the_wearer():
    later = f"{8:016x}"
    feed = TotalsFeed()
    for message in (
        window(0),
        fibrillation(360, "raised"),
        window(360),
        window(0, stream=later),
        window(360, stream=later),
        fibrillation(None, "cleared", stream=None),
        window(0, stream=f"{9:016x}"),
    ):
        feed.take(message)
    found = feed.totals()
    assert (found.fibrillation.samples, found.burden) == (3 * SECOND, 3 / 5)


def test_one_that_was_raised_as_the_stream_ended_does_not_go_on_in_the_next():
    """Alarms come before the windows of the same time, and one that ends so has no sample."""
    published = [
        *(window(at * SECOND) for at in range(5)),
        fibrillation(6 * SECOND, "raised"),
        fibrillation(None, "cleared"),
        *(window(at * SECOND, stream=f"{8:016x}") for at in range(5)),
    ]
    assert totals(published).fibrillation.samples == 0


def test_of_one_that_goes_on_for_weeks_a_journal_may_have_only_that_somebody_saw_it():
    published = [fibrillation(0, "acknowledged"), *(window(at * SECOND) for at in range(5))]
    assert totals(published).burden == 1


def test_many_alarms_of_other_streams_are_taken_at_once():
    many = [fibrillation(at, "raised", stream=f"{9:016x}") for at in range(30_000)]
    assert totals([*many, window(0)]).burden == 1
