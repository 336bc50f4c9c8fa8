"""The scoreboard's arithmetic, on messages made by hand."""

import msgspec
import numpy as np
import pytest

from ecgmon.core.annotations import Annotations
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.card import Card, ScoredSpan, Validation
from ecgmon.records import Record
from ecgmon.wire import messages
from replay.scoring.scoreboard import Played, Scoreboard, score_line

RATE = 360
IDS = {"wearer": "203", "stream": "0000000000000007"}
OPENED = messages.Opened(
    **IDS, lead="II", rate=360.0, model="generic", threshold=0.6, look_ahead_s=0.5
)
CARD = Card(
    name="generic",
    network="none",
    parameters=0,
    wearer=None,
    threshold=0.6,
    history_s=3.0,
    look_ahead_s=0.5,
    rate=120,
    trained_on=(ScoredSpan("mitdb/203", 0, 5), ScoredSpan("mitdb/119", 0, 100)),
    windows=5,
    abnormal_windows=1,
    validation=Validation("none", (), 0, 0, 0, 0),
    seed=1,
    versions={},
    created="",
)


def window(second, abnormal=False, state="signal"):
    return messages.Window(
        **IDS,
        first=second * RATE,
        state=state,
        probability=None if abnormal is None else 0.9 if abnormal else 0.1,
        abnormal=abnormal,
        heart_rate=None,
        model="generic",
    )


def alarm(kind, second, state="raised", number=1):
    return messages.Alarm(
        **IDS,
        alarm=number,
        kind=kind,
        priority="medium",
        category="physiological",
        state=state,
        at=round(second * RATE),
        time=0.0,
        text="",
    )


def record(symbols, seconds=None):
    """Return a record with an annotation in the middle of each second; '.' is none."""
    at = [RATE * i + RATE // 2 for i, symbol in enumerate(symbols) if symbol != "."]
    annotations = Annotations(
        np.array(at, dtype=np.int64), tuple(symbol for symbol in symbols if symbol != ".")
    )
    n = RATE * (seconds or len(symbols))
    samples = np.zeros(n, dtype=np.int16)
    return Record("mitdb/203", "203", 360.0, 200.0, "II", samples, annotations)


def scored(rec, published, *, first=0, score_from=0, card=CARD, available_at=lambda _: None):
    board = Scoreboard(Played(rec, first * RATE, score_from), card, available_at)
    board.take(OPENED, 0.0)
    for message in published:
        board.take(message, 100.0)
    return board.result(sent=1234)


def counts(result):
    return tuple(result[name] for name in ("tp", "fp", "tn", "fn"))


def test_every_window_is_held_against_its_annotations():
    published = [window(i, abnormal) for i, abnormal in enumerate([True, True, False, False, True])]
    result = scored(record("VNVNA"), published)
    assert counts(result) == (2, 1, 1, 1)
    assert (result["windows"], result["classified"], result["scored"]) == (5, 5, 5)
    assert result["sensitivity"] == pytest.approx(2 / 3)
    assert result["ppv"] == pytest.approx(2 / 3)
    assert result["f1"] == pytest.approx(2 / 3)
    assert result["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_windows_without_a_label_or_a_verdict_are_not_scored():
    published = [
        window(0),
        window(1),  # a second without annotations
        window(2),  # a rhythm mark
        window(3, None, "noisy"),
        window(4, None, "absent"),
        window(5, None),
        window(6),
        window(7),  # beyond the record
    ]
    result = scored(record("N.+NNNV"), published)
    assert counts(result) == (0, 0, 1, 1)
    assert (result["windows"], result["classified"], result["skipped"]) == (8, 5, 3)
    assert (result["noisy"], result["absent"], result["unsettled"]) == (1, 1, 1)


def test_minutes_of_enrolment_play_but_are_not_scored():
    rec = record("VVVVVVVV")
    published = [window(i, True) for i in range(8)]
    assert counts(scored(rec, published, score_from=5)) == (3, 0, 0, 0)
    assert counts(scored(rec, published, score_from=8)) == (0, 0, 0, 0)


def test_a_stream_from_the_middle_is_held_against_the_middle():
    rec = record("NNNVVN")
    published = [window(0, True), window(1, True), window(2)]
    assert counts(scored(rec, published, first=3)) == (2, 0, 1, 0)
    assert counts(scored(rec, published, first=3, score_from=4)) == (1, 0, 1, 0)


def test_the_share_of_windows_that_training_has_seen_is_reported():
    rec, published = record("NNNNNNNN"), [window(i) for i in range(8)]
    assert scored(rec, published)["trained_on_share"] == pytest.approx(5 / 8)
    assert scored(rec, published, score_from=5)["trained_on_share"] == 0
    assert scored(rec, published, score_from=2)["trained_on_share"] == pytest.approx(3 / 6)
    assert scored(rec, published, first=4)["trained_on_share"] == pytest.approx(1 / 4)
    assert scored(rec, published, card=None)["trained_on_share"] is None
    assert scored(rec, [])["trained_on_share"] is None
    other = msgspec.structs.replace(CARD, trained_on=(ScoredSpan("mitdb/119", 0, 100),))
    assert scored(rec, published, card=other)["trained_on_share"] == 0


def test_latency_runs_from_the_last_sample_that_the_model_needs():
    asked = []

    def available_at(index):
        asked.append(index)
        return 99.0 + index / (1000 * RATE)

    result = scored(record("NNN"), [window(i) for i in range(3)], available_at=available_at)
    ends = [int(RATE * (i + 1.5)) - 1 for i in range(3)]
    assert asked == ends
    late = [1000 * (1.0 - end / (1000 * RATE)) for end in ends]
    assert result["latency_ms_p50"] == pytest.approx(late[1])
    assert result["latency_ms_p99"] == pytest.approx(np.percentile(late, 99))
    assert scored(record("NNN"), [window(0)])["latency_ms_p50"] is None


@pytest.mark.parametrize(
    ("kind", "symbols", "false"),
    [
        ("abnormal", "NNNNNNNNNNNNNNNNNNNN", 1),
        ("abnormal", "NNNNNNNNNNNNNNNNNNNV", 0),
        ("abnormal", "NNNNNNNNNNVNNNNNNNNN", 0),  # ten seconds before
        ("abnormal", "NNNNNNNNNVNNNNNNNNNN", 1),  # eleven
        ("abnormal", "NNNNNNNNNN+NNNNNNNNN", 1),  # no beat at all
        ("asystole", "NNNNNNNNNNNNNNNN....", 0),
        ("asystole", "NNNNNNNNNNNNNNNNN...", 1),
        ("asystole", "NNNNNNNNNNNNNNNN+...", 0),
        ("noisy", "NNNNNNNNNNNNNNNNNNNN", 0),  # nothing annotates noise
        ("no-signal", "NNNNNNNNNNNNNNNNNNNN", 0),
    ],
)
def test_an_alarm_is_false_where_the_annotations_disprove_it(kind, symbols, false):
    rec = record(symbols, seconds=40)
    published = [alarm(kind, 20), alarm(kind, 20, "acknowledged"), alarm(kind, 30, "cleared")]
    published.append(msgspec.structs.replace(alarm(kind, 35), count=2))
    result = scored(rec, [window(0), *published])
    assert result["false_alarms"] == false
    assert result["false_alarms_per_hour"] == pytest.approx(false * 3600)
    assert scored(rec, [window(0), *published], score_from=20)["false_alarms"] == 0
    assert scored(rec, [window(0), *published], score_from=19)["false_alarms"] == false


@pytest.mark.parametrize(("late", "false"), [(0, 0), (0.15, 0), (0.16, 1)])
def test_the_beat_that_an_asystole_begins_with_does_not_disprove_it(late, false):
    rec = record("NNNNNNNNNNNNNNNNN....", seconds=40)
    found = rec.annotations.samples[-1] - round(late * RATE)
    result = scored(rec, [window(0), alarm("asystole", found / RATE + 4)])
    assert result["false_alarms"] == false


def test_an_alarm_that_is_repeated_to_a_new_viewer_counts_once():
    raised, seen = alarm("abnormal", 20), alarm("abnormal", 25, "acknowledged")
    again = alarm("abnormal", 40, number=2)
    published = [window(0), raised, raised, seen, OPENED, seen, again]
    result = scored(record("N" * 60), published)
    assert result["false_alarms"] == 2
    assert result["alarms"] == [
        {"alarm": n, "kind": "abnormal", "priority": "medium", "state": state, "at_s": at_s}
        for n, state, at_s in ((1, "raised", 20), (1, "acknowledged", 25), (2, "raised", 40))
    ]


def test_samples_and_gaps_are_as_the_monitor_counted_them():
    link = {"missing": 5, "repeated": 2, "lag_s": 0.0}
    published = [
        messages.Link(**IDS, received=100, **link),
        messages.Gap(**IDS, first=100, count=5),
        messages.Gap(**IDS, first=300, count=1),
        messages.Link(**IDS, received=720, **link),
        messages.Closed(**IDS, end=725),
    ]
    result = scored(record("NN"), published)
    assert (result["samples_sent"], result["samples_received"], result["gaps"]) == (1234, 720, 2)


def test_a_record_without_annotations_plays_unscored():
    rec = Record("a/b", "b", 360.0, 200.0, "II", np.zeros(3600, dtype=np.int16))
    board = Scoreboard(Played(rec, 0, 0), CARD, lambda _: None)
    assert board.line() is None
    result = scored(rec, [window(0, True), alarm("abnormal", 1)])
    assert (result["annotated"], result["windows"], result["scored"]) == (False, 1, 0)
    unknown = ("balanced_accuracy", "f1", "false_alarms", "false_alarms_per_hour")
    assert [result[name] for name in (*unknown, "trained_on_share")] == [None] * 5


def test_what_was_never_opened_has_no_figures_but_is_a_result():
    board = Scoreboard(Played(record("NN"), 0, 0), CARD, lambda _: None)
    result = board.result(sent=0)
    assert [result[name] for name in ("model", "threshold", "look_ahead_s")] == [None] * 3
    assert (result["windows"], result["alarms"], board.end) == (0, [], None)


def test_the_score_so_far_fits_a_line():
    board = Scoreboard(Played(record("VN"), 0, 0), CARD, lambda _: None)
    assert board.line() == "balanced accuracy -  F1 -  TP 0  FP 0  TN 0  FN 0"
    for message in (OPENED, window(0, True), window(1, True)):
        board.take(message, 0.0)
    assert board.line() == "balanced accuracy 0.500  F1 0.667  TP 1  FP 1  TN 0  FN 0"
    assert score_line(Confusion(tp=1, fp=1)) == board.line()


def test_the_line_names_the_time_from_which_there_are_scores():
    board = Scoreboard(Played(record("VN"), 0, 1), CARD, lambda _: None)
    assert board.line() == "enrolment minutes are not scored: scores from 00:01 on"
    for message in (OPENED, window(0, True), window(1, True)):
        board.take(message, 0.0)
    assert board.line() == "balanced accuracy -  F1 0.000  TP 0  FP 1  TN 0  FN 0"
