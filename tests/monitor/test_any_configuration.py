"""Any configuration is refused with file and line, or the monitor runs with it."""

import contextlib
import re
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecgmon.config import load
from ecgmon.config.entry import entries
from ecgmon.config.schema import LimitsSection, Wearer
from ecgmon.core.errors import ConfigError
from ecgmon.core.rate_profiles import Profile
from ecgmon.core.rhythm_limits import Level
from ecgmon.wire import Frame, messages
from monitor.configured import settings
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import simulate
from tests.support.rig import GENERIC

CALM = simulate("normal", duration_s=6).record.samples
WEARERS = ("ann", "bob", "cid")
NUMBERS = st.sampled_from(
    [0, 5, 14.9, 15, 35, 40, 50, 100, 104, 110, 118, 120, 126.5, 150, 290, 300, 300.5, 350, 400]
)
ODD = st.sampled_from([float("nan"), float("inf"), -float("inf"), -1, -0.0, 5e-324, 1e308, 10**30])


def values(name, entry):
    if name == "abnormal":
        return st.sampled_from(["3/10", "1/1", "300/300", "301/301", "10/3", "0/9", "x"])
    if name == "lead":
        return st.sampled_from(["", "II", "V5"])
    if entry.base in (Level, Profile):
        return st.sampled_from([*get_args(entry.base), "worst"])
    return st.one_of(NUMBERS, NUMBERS, NUMBERS, ODD)


def table(kind, most):
    named = {n: values(n, e) for n, e in entries(kind).items()}
    pairs = st.sampled_from(sorted(named)).flatmap(lambda n: st.tuples(st.just(n), named[n]))
    return st.lists(pairs, max_size=most).map(dict)


def toml(tables):
    lines = []
    for heading, keys in tables:
        lines.append(f"[{heading}]")
        lines += [f"{name} = {value!r}" for name, value in keys.items()]
    return "\n".join(lines) + "\n"


alarms = table(Wearer, 3).map(lambda keys: {n: v for n, v in keys.items() if n != "lead"})
configurations = st.tuples(alarms, table(LimitsSection, 1), table(Wearer, 3), table(Wearer, 2)).map(
    lambda t: toml(zip(("alarms", "limits", "wearers.ann", "wearers.bob"), t, strict=True))
)


class Running:
    """A ward that watches three wearers by the defaults."""

    def __init__(self):
        self.registry = WearerRegistry(WearerPolicy(lambda _: GENERIC))
        self.sent = 0
        self.streams = [self.opened(wearer) for wearer in WEARERS]
        self.second()

    def opened(self, wearer):
        hello = messages.Hello(wearer=wearer, stream=f"{7:016x}", rate=360.0, leads=["II", "V5"])
        self.registry.claim(hello, 0.0)
        return self.registry.open(hello, None, 0.0)[0].stream

    def second(self):
        for stream in self.streams:
            samples = CALM[self.sent : self.sent + 360]
            frame = Frame(7, self.sent, 0, 360_000, 200.0, "II", samples)
            stream.accept(frame, arrival=self.sent / 360)
        self.sent += 360
        found_messages = self.registry.advance(lambda _: False)
        return [
            *found_messages,
            *self.registry.take_up_models(),
            *self.registry.check(self.sent / 360),
        ]


@given(configurations)
@example("[wearers.ann]\nlow_rate = 118\nhigh_rate = 120\n")
@example("[alarms]\nlow_rate = 100\nhigh_rate = 104\n")
@example("[alarms]\nextreme_low_rate = 5\n")
@example("[wearers.ann]\nhigh_rate = 200\nextreme_high_rate = 350\n")
@example("[wearers.ann]\nhigh_rate = 310\nextreme_high_rate = 0\n")
def test_it_is_refused_by_file_and_line_or_used_at_start_and_at_reload(tmp_path_factory, text):
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text(text)
    with contextlib.suppress(ConfigError):
        configuration = load(file, (), {}).config
        used(settings(configuration).policy)
        return
    with pytest.raises(ConfigError, match=rf"{re.escape(str(file))}, line \d+"):
        load(file, (), {})


def used(policy):
    running = Running()
    running.registry.adopt(policy)  # as at a reload
    for _ in range(2):
        running.second()
    limits = [policy.limits(wearer) for wearer in WEARERS]
    assert [running.registry._wearers[wearer].limits for wearer in WEARERS] == limits
    fresh = WearerRegistry(policy)  # as at a start
    hello = messages.Hello(wearer="ann", stream=f"{8:016x}", rate=360.0, leads=["II", "V5"])
    fresh.claim(hello, 0.0)
    assert fresh.open(hello, None, 0.0)[0].lead in ("II", "V5")


def test_the_table_of_one_wearer_is_no_other_s(tmp_path):
    file = tmp_path / "ecgmon.toml"
    file.write_text(
        '[wearers.ann]\nlead = "V5"\nlow_rate = 0\nhigh_rate = 200\nextreme_high_rate = 0\n'
    )
    policy = settings(load(file, (), {}).config).policy
    assert (policy.limits("ann").low_rate, policy.limits("ann").high_rate) == (None, 200)
    assert (
        policy.limits("bob")
        == policy.limits("nobody")
        == WearerPolicy(lambda _: GENERIC).limits("bob")
    )
    file.write_text(
        "[wearers.ann]\nlow_rate = 45\n[wearers.bob]\nlow_rate = 118\nhigh_rate = 120\n"
    )
    with pytest.raises(
        ConfigError, match=r"line 4 and .*line 5: in \[wearers.bob\] high_rate must"
    ):
        load(file, (), {})
