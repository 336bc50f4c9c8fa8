"""The log: a line an event, whatever hostile peers call themselves."""

import json
import logging
import os
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ops.logs import Lines, event, harmless, is_journal, logger, quoted

HOSTILE = st.text(st.characters(codec=None), max_size=30) | st.sampled_from(
    ["\n<0>kernel: panic", "\x1b]0;x\x07", "a\u2028b", "\u202eevil", "\x85", "\ud800", "", 'a"b\\c']
)


def record(message, *args, level=logging.INFO, exc_info=None):
    return logging.LogRecord("monitor.test", level, __file__, 1, message, args, exc_info)


@given(text=HOSTILE, journald=st.booleans())
def test_no_peer_can_write_more_than_its_own_words(text, journald):
    hostile = record("wearer=%s what=%r %s", text, text, event("opened", wearer=text))
    line = Lines(journald=journald).format(hostile)
    assert line.isprintable()
    assert line.encode()  # there is nothing in it that no terminal can be sent
    assert line.startswith("<6>logger=monitor.test " if journald else "time=")


@given(text=HOSTILE)
def test_a_quoted_value_is_separated_from_what_follows(text):
    word, end = re.fullmatch(
        r'k=([^\s"=\\]+|"(?:[^"\\]|\\.)*") (end=1)', f"k={quoted(text)} end=1"
    ).groups()
    assert end == "end=1"
    if text.isprintable():
        assert (json.loads(word) if word[0] == '"' else word) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ann", "ann"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ("a\nb", '"a\\nb"'),
        ('say "x"\\', '"say \\"x\\"\\\\"'),
        ("Zoë", "Zoë"),
        (3, "3"),
        (0.1 + 0.2, "0.3"),
        (None, "None"),
    ],
)
def test_values_are_quoted_where_they_need_to_be(value, text):
    assert quoted(value) == text


def test_an_event_is_its_name_and_what_is_known_of_it():
    line = event("closed", wearer="ann", end=720, reason="bye, then", by=None)
    assert line == 'event=closed wearer=ann end=720 reason="bye, then"'


def test_what_is_bound_is_in_every_line_and_what_is_off_costs_none(caplog):
    caplog.set_level(logging.INFO)
    log = logger("monitor.test")
    own = log.bind(wearer="ann", stream="00aa")
    own.info("closed", end=720)
    own.debug("not logged")
    log.warning("100 %s", why="a b")
    assert caplog.messages == [
        "event=closed wearer=ann stream=00aa end=720",
        'event=100 %s why="a b"',
    ]
    assert [record.name for record in caplog.records] == ["monitor.test"] * 2
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]


@given(text=HOSTILE)
def test_no_name_that_is_bound_writes_more_than_itself(text):
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(Lines(journald=True).format(record))
    other = logging.getLogger("monitor.test.hostile")
    other.addHandler(handler)
    try:
        logger(other.name).bind(wearer=text).error("refused", reason=text)
    finally:
        other.removeHandler(handler)
    (line,) = lines
    assert (
        line == f"<3>logger={other.name} event=refused wearer={quoted(text)} reason={quoted(text)}"
    )


def test_an_error_that_is_logged_has_its_traceback(caplog):
    try:
        raise ValueError("a")
    except ValueError:
        logger("monitor.test").exception("bug", what=None)
    (record,) = caplog.records
    assert record.getMessage() == "event=bug"
    assert "ValueError: a" in Lines(journald=True).format(record)


def test_a_traceback_is_part_of_its_line():
    try:
        raise ValueError("a\nb")
    except ValueError:
        line = Lines(journald=True).format(record("event=bug", level=40, exc_info=sys.exc_info()))
    assert line.startswith('<3>logger=monitor.test event=bug traceback="Traceback')
    assert line.endswith('ValueError: a\\nb"')
    assert line.isprintable()


@pytest.mark.parametrize(("level", "prefix"), [(50, "<2>"), (40, "<3>"), (30, "<4>"), (20, "<6>")])
def test_journald_gets_the_level_and_others_the_time_too(level, prefix):
    text = "event=x"
    assert (
        Lines(journald=True).format(record(text, level=level))
        == f"{prefix}logger=monitor.test {text}"
    )
    name = logging.getLevelName(level).lower()
    plain = Lines(journald=False).format(record(text, level=level))
    time, rest = plain.split(" ", 1)
    assert re.fullmatch(r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", time)
    assert rest == f"level={name} logger=monitor.test event=x"


def test_journald_reads_only_the_stream_that_is_its_own(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        stat = os.fstat(stream.fileno())
        own = {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}
        assert is_journal(stream, own)
        assert not is_journal(stream, {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino + 1}"})
        assert not is_journal(stream, {})
    assert not is_journal(stream, own)  # closed


def test_what_is_printable_stays_as_it_is():
    assert harmless("wearer=Zoë ä") == "wearer=Zoë ä"
