from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.core.errors import UsageError
from ecgmon.export.timespec import EARLIEST, LATEST, iso, moment

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("-2h", NOW - 7200),
        ("-30m", NOW - 1800),
        ("-0s", NOW),
        ("-7d", NOW - 7 * 86_400),
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14 23:13:20.5+01:00", NOW + 0.5),
        ("20231114T221320Z", NOW),
    ],
)
def test_a_time_is_iso_8601_or_how_long_ago(text, seconds):
    assert moment(text, NOW) == seconds


def test_a_time_without_a_zone_is_local():
    assert moment("2026-01-31T14:30", NOW) == datetime(2026, 1, 31, 14, 30).timestamp()  # noqa: DTZ001 - local


@pytest.mark.parametrize("text", ["", "2h", "-2", "-2w", "--2h", "yesterday", "0001-01-01", "nan"])
def test_anything_else_is_refused(text):
    with pytest.raises(UsageError, match="is no time"):
        moment(text, NOW)


@given(st.text(max_size=20) | st.from_regex(r"-?\d{1,8}[smhdTZ:-]?\d*"))
def test_any_text_is_a_time_or_refused(text):
    try:
        seconds = moment(text, NOW)
    except UsageError:
        return
    assert EARLIEST < seconds < LATEST


@given(st.floats(EARLIEST + 1, LATEST - 1))
def test_a_time_survives_being_written(seconds):
    assert moment(iso(seconds), NOW) == pytest.approx(seconds, abs=0.0006)
