"""Tables of the published verdicts and alarms, second by second."""

import csv
import io
import json

import numpy as np

from ecgmon.export import tables
from ecgmon.wire import messages
from tests.ecgmon.export.stored import OTHER, STREAM, T0, alarm, window


def as_csv(stored, start=-np.inf, stop=np.inf):
    text = "".join(tables.as_csv(stored.streams(start, stop), stored.journal_messages().others))
    assert text.startswith(",".join(tables.COLUMNS) + "\r\n")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_row_says_what_is_known_and_nothing_else(stored):
    stored.capture(np.zeros(1000))
    stored.say(window(0, abnormal=True))
    stored.say(window(1, "noisy", heart_rate=None))
    stored.say(window(2, abnormal=None))
    empty = dict.fromkeys(tables.COLUMNS, "") | {"stream": STREAM}
    assert as_csv(stored) == [
        empty
        | {
            "time": "2026-01-02T03:04:05.000Z",
            "sample": "0",
            "state": "signal",
            "probability": "0.25",
            "abnormal": "1",
            "heart_rate": "61.0",
        },
        empty | {"time": "2026-01-02T03:04:06.000Z", "sample": "250", "state": "noisy"},
        empty
        | {
            "time": "2026-01-02T03:04:07.000Z",
            "sample": "500",
            "state": "signal",
            "heart_rate": "61.0",
        },
    ]
    assert [row["sample"] for row in as_csv(stored, T0 + 1.5, T0 + 2)] == ["250"]


def test_an_alarm_is_active_from_raised_to_cleared_across_streams(stored, monkeypatch):
    monkeypatch.setattr(tables, "BATCH", 2)
    for second in range(5):
        stored.say(window(second))
    later = T0 + 100
    for second in range(3):
        stored.say(window(second, stream=OTHER), stream_began=later)
    stored.say(alarm(2, "raised"))
    stored.say(alarm(4, "acknowledged"))
    stored.say(alarm(3, "raised", number=2, kind="low-rate"))
    stored.say(alarm(4, "cleared", number=2, kind="low-rate"))
    stored.say(alarm(2, "cleared", stream=OTHER, time=later + 3))
    assert [(row["stream"] == OTHER, row["alarms"]) for row in as_csv(stored)] == [
        (False, ""),
        (False, "abnormal"),
        (False, "abnormal low-rate"),
        (False, "abnormal"),
        (False, "abnormal"),
        (True, "abnormal"),
        (True, ""),
        (True, ""),
    ]
    # Raised before the requested span, it is still active.
    assert {row["alarms"] for row in as_csv(stored, T0 + 4, T0 + 50)} == {"abnormal"}


def test_of_two_messages_about_a_second_the_last_one_counts(stored):
    for abnormal in (True, False):
        for second in (1, 0):
            stored.say(window(second, abnormal=abnormal))
    assert [(row["sample"], row["abnormal"]) for row in as_csv(stored)] == [
        ("0", "0"),
        ("360", "0"),
    ]


def test_json_says_everything_in_the_devices_samples(stored):
    stored.capture(np.zeros(2500))
    for second in range(3):
        stored.say(window(second))
    stored.say(messages.Gap(wearer="ann", stream=STREAM, first=360, count=720))
    stored.say(alarm(2, "raised", text='"quoted"\n'))
    stored.say(messages.Paused(wearer="ann", kind="noisy", until=1e300, time=T0 + 2.5))
    stored.say(alarm(9, "cleared"))
    document = "".join(
        tables.as_json(
            "ann", stored.streams(T0, T0 + 8), stored.journal_messages().others, {"beats": 3}
        )
    )
    assert json.loads(document)["totals"] == {"beats": 3}
    (stream,) = json.loads(document)["streams"]
    assert (stream["stream"], stream["rate"]) == (STREAM, 250.0)
    assert stream["began"] == "2026-01-02T03:04:05.000Z"
    assert [second["sample"] for second in stream["seconds"]] == [0, 250, 500]
    assert stream["seconds"][0]["abnormal"] is False
    assert stream["said"] == stream["messages"]
    gap, raised, paused = stream["messages"]
    assert gap == {"time": "2026-01-02T03:04:06.000Z", "type": "gap", "first": 250, "count": 500}
    assert (raised["type"], raised["at"], raised["text"]) == ("alarm", 500, '"quoted"\n')
    assert (paused["kind"], paused["time"]) == ("noisy", "2026-01-02T03:04:07.500Z")
