"""No screen hides an active high alarm, on any terminal, and Escape leaves each screen."""

import itertools
import re
import time
from pathlib import Path

import pytest
import zmq

from ecgmon.terminal.canvas import Look
from ecgmon.terminal.screen import ESCAPE
from ecgmon.wire import messages
from ecgmon.wire.viewer_client import ViewerClient
from tests.support.publisher import Publisher
from tests.viewer.conftest import rows
from viewer.terminal.banner import below
from viewer.terminal.overview import HELP
from viewer.terminal.render import Caption, render
from viewer.terminal.single import _View
from viewer.terminal.watch import ALL, Watch

SIZES = [(20, 2), (40, 10), (60, 15), (80, 24), (120, 40), (200, 60)]
SCREENS = {"overview": "", "trace": "\n", "history of all": "h", "history of one": "\nh"}
SCREENS |= {f"help on {name}": f"{keys}?" for name, keys in SCREENS.items()}
"""The keys that lead from the first screen to each of the screens of ``ecgmon view``."""
HELP_BEGINS = HELP[0][:15]


@pytest.fixture(scope="module")
def viewer():
    with zmq.Context() as context, Publisher() as publisher:
        viewer = ViewerClient(context, publisher.endpoint, ALL)
        yield viewer
        viewer.socket.close()


@pytest.fixture
def watch(viewer, monitor):
    """Many wearers are watched, and nothing is wrong; the one chosen is the last, w29."""
    viewer.last_message = time.monotonic()
    watch = Watch(viewer, "here", "ann", mute=False)
    for wearer in ("203", "ben", *(f"w{n}" for n in range(30))):
        watch.listen(type(monitor)(wearer).window(0), time.monotonic())
    watch.picture(time.monotonic())
    for _ in range(40):
        watch.on_key("j")
    return watch


def shown(watch, size, keys=""):
    for key in keys:
        watch.on_key(key)
        watch.picture(time.monotonic())
    return watch.picture(time.monotonic())(*size)


def assert_names(canvas, look, *wearers):
    assert canvas.looks[0, 0] == look
    (top, *_) = rows(canvas)
    assert top.startswith("!!! ")
    for wearer in wearers:
        assert wearer in top


@pytest.mark.parametrize("keys", SCREENS.values(), ids=SCREENS)
@pytest.mark.parametrize("state", ["raised", "latched", "acknowledged"])
@pytest.mark.parametrize("wearers", [("w29",), ("ben",), ("w29", "ben")])
def test_every_screen_names_an_active_high_alarm(watch, monitor, keys, state, wearers):
    canvas = shown(watch, (80, 24), keys)
    assert not {Look.HIGH, Look.HIGH_RAISED} & set(canvas.looks[:, 0].tolist())
    for wearer in wearers:  # while the screen is open
        watch.listen(type(monitor)(wearer).alarm(1, state), time.monotonic())
    watch.listen(messages.Refused(reason="no"), time.monotonic())
    watch.listen(messages.Dropped(count=7), time.monotonic())
    quiet = state == "acknowledged"
    for size in SIZES:
        canvas = shown(watch, size)
        assert (canvas.width, canvas.height) == size
        assert_names(canvas, Look.HIGH if quiet else Look.HIGH_RAISED, *wearers)
        if size[0] >= 40:
            assert "asystole" in rows(canvas)[0]


@pytest.mark.parametrize("keys", SCREENS.values(), ids=SCREENS)
def test_escape_leaves_every_screen_to_the_first_one(watch, keys):
    first = rows(shown(watch, (80, 24)))
    shown(watch, (80, 24), keys)
    for _ in range(len(keys)):
        before = rows(shown(watch, (80, 24)))
        assert before[0] != first[0] or any(HELP_BEGINS in row for row in before)
        watch.on_key(ESCAPE)
    after = rows(shown(watch, (80, 24)))
    assert (after[0][:20], after[-1]) == (first[0][:20], first[-1])
    watch.on_key(ESCAPE)
    assert not watch.over


def test_a_paused_high_alarm_is_named_but_waits_for_nobody(watch, monitor):
    watch.listen(monitor.alarm(1), time.monotonic())
    watch.listen(monitor.paused("asystole", time.time() + 60), time.monotonic())
    assert_names(shown(watch, (40, 10), "?"), Look.HIGH, "203 asystole")
    watch.listen(type(monitor)("ben").alarm(1), time.monotonic())
    assert_names(shown(watch, (40, 10)), Look.HIGH_RAISED, "ben asystole · 203 asystole")
    for wearer in ("203", "ben"):
        watch.listen(type(monitor)(wearer).alarm(1, "cleared"), time.monotonic())
    assert rows(shown(watch, (40, 10)))[0].startswith(" here")


def test_alarms_of_others_and_of_low_priority_are_in_their_places(watch, monitor):
    watch.listen(monitor.alarm(1, priority="medium"), time.monotonic())
    assert rows(shown(watch, (80, 24)))[0].startswith(" here")


@pytest.mark.parametrize("size", SIZES)
def test_many_names_are_counted_and_none_is_cut(monitor, fold, size):
    long = "a" * 30 + "-" + "z" * 30
    alarm_lists = [
        fold([type(monitor)(wearer).alarm(n) for n in (1, 2)], wearer).alarm_list
        for wearer in (long, *(f"w{number}" for number in range(9)))
    ]
    for several in (alarm_lists[:1], alarm_lists[1:3], alarm_lists):
        canvas = below(lambda w, h: render(fold([]), Caption(), w, h), several, 0.0)(*size)
        text = rows(canvas)[0].removeprefix("!!! ").rstrip()
        names, _, more = text.partition(" +")
        if size[0] >= 40:
            assert len(names.split(" · ")) + int(more or 0) in (len(several), 2 * len(several))
        else:
            assert names


@pytest.mark.parametrize("size", SIZES)
def test_the_view_of_a_replay_names_it_too(viewer, monitor, size):
    view = _View(viewer, "203", Caption("203"), lambda: "a score", lambda _: None)
    for message in (monitor.opened(), monitor.alarm(1), monitor.gap(0, 3), monitor.swap(0)):
        view.listen(message, time.monotonic())
    canvas = view.picture(time.monotonic())(*size)
    assert (canvas.width, canvas.height) == size
    assert_names(canvas, Look.HIGH_RAISED, "203 asystole")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("height", [8, 10, 15, 24])
def test_the_heart_rate_is_seen_beside_the_help(viewer, monitor, width, height):
    watch = Watch(viewer, "here", "ann", mute=True)
    viewer.last_message = now = time.monotonic()
    for message in (monitor.opened(), monitor.window(0, heart_rate=144)):
        watch.listen(message, now)
    watch.picture(now)
    for keys in ("?", "\n"):
        text = "\n".join(rows(shown(watch, (width, height), keys)))
        assert "144" in text or "█" in text
        assert HELP_BEGINS in text


def test_these_are_all_the_screens_that_there_are():
    """A program that takes the terminal is listed here, and its screens are in the tests above."""
    root = Path(__file__).parents[3]
    files = itertools.chain(
        *((root / name).rglob("*.py") for name in ("ecgmon_cli", "monitor", "viewer", "replay"))
    )
    found = {
        str(file.relative_to(root))
        for file in files
        if re.search(r"^\s.*\bfull_screen\(", file.read_text(), re.MULTILINE)
    }
    assert found == {"viewer/terminal/single.py", "viewer/terminal/watch.py"}
