import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgmon.wire import messages
from tests.viewer.conftest import NOON, rows
from viewer.terminal.history import MOST, AlarmHistory


@pytest.fixture
def past(monitor):
    """Answer a question as a monitor does that has had so many alarms."""

    def past(question, alarms):
        newest = alarms if question.before is None else question.before - 1
        numbers = range(newest, max(newest - question.limit, 0), -1)
        entries = [monitor.alarm(n, "cleared", time=NOON + n) for n in numbers]
        return messages.Past(entries=entries, before=entries[-1].alarm if entries else None)

    return past


def seen(history, width=80, height=12):
    return rows(history.render((), width, height))[1:-1]


def answered(history, past, alarms):
    """Answer all questions that the page has now."""
    seen(history)
    while question := history.next_request():
        history.take(past(question, alarms))
        seen(history)


def test_all_of_the_past_can_be_leafed_through(past):
    history, found = AlarmHistory("203"), []
    answered(history, past, 120)
    for _ in range(200):
        answered(history, past, 120)
        found.append(seen(history)[0][:25])
        history.leaf("↓")
    assert len(dict.fromkeys(found)) == 111  # the last ten are on one screen
    assert history.next_request() is None
    for key, moved in (("⇞", 9), ("↑", 1), ("⇟", -9), ("k", 1), ("j", -1), (" ", -9)):
        before = found.index(seen(history)[0][:25])
        history.leaf(key)
        assert found.index(seen(history)[0][:25]) == min(before - moved, 110)


@given(st.lists(st.sampled_from("↓↑jk⇟⇞ x"), max_size=30), st.integers(0, 130))
def test_it_never_leaves_the_entries_and_asks_once_at_a_time(monitor, keys, alarms):
    history = AlarmHistory(None)
    for key in keys:
        shown = seen(history)
        question = history.next_request()
        assert question is None or history.next_request() is None
        if question:
            newest = alarms if question.before is None else question.before - 1
            numbers = range(newest, max(newest - 50, 0), -1)
            entries = [monitor.alarm(n, "cleared", time=NOON) for n in numbers]
            before = entries[-1].alarm if entries else None
            history.take(messages.Past(entries=entries, before=before))
        history.leaf(key)
        assert shown[0].strip()


def test_an_answer_that_leads_nowhere_ends_the_questions(monitor):
    history = AlarmHistory(None)
    history.next_request()
    history.take(messages.Past(entries=[monitor.alarm(1)], before=7))
    assert history.next_request().before == 7
    history.take(messages.Past(entries=[monitor.alarm(2)], before=7))
    assert history.next_request() is None
    history.take(messages.Past(entries=[monitor.alarm(3)], before=3))  # nobody has asked
    assert not any("3" in row[:3] for row in seen(history))


@pytest.mark.thorough
def test_memory_is_bounded(past):
    history = AlarmHistory("203")
    for _ in range(2 * MOST):
        answered(history, past, 3 * MOST)
        history.leaf("⇟")
    assert len(history._entries) <= MOST + messages.MAX_PAST


def test_the_course_of_alarms_is_shown_in_words(monitor, own):
    history = AlarmHistory(None)
    history.next_request()
    entries = [
        monitor.paused("abnormal", NOON + 120, time=NOON),
        monitor.paused("abnormal", None, time=NOON),
        monitor.alarm(1, "acknowledged", time=NOON, by="Ann"),
        own(1, "raised"),
    ]
    history.take(messages.Past(entries=entries, before=None))
    shown = [row[21:].rstrip() for row in seen(history, 100)]
    assert shown[:4] == [
        "203             paused       abnormal for 120 s",
        "203             re-armed     abnormal",
        "203         !!! acknowledged asystole: no beat for 4 seconds by Ann",
        "the monitor !!  raised       disk: the disk is full",
    ]


def test_no_alarms_and_no_answer_are_shown_differently(past):
    history = AlarmHistory(None)
    assert seen(history)[0].strip() == "Asking the monitor ..."
    history.next_request()
    history.give_up(refused=False)
    assert history.next_request() is not None
    history.take(past(messages.History(wearer=None), 0))
    assert seen(history)[0].strip() == "No alarms are known."
    history = AlarmHistory(None)
    history.next_request()
    history.give_up(refused=True)
    assert seen(history)[0].strip() == "The monitor does not say."
    assert history.next_request() is None
