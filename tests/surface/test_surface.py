"""The public surface does not change except on purpose.

``pinned/`` holds, one fact a line, the surface of version 0.1.0 and what was added since: commands
and options, variables, configuration keys, messages, metrics, alarms, exit codes and the files of
the state folder. It was compared with 0.1.0 itself: nothing of that version is gone. Its old names
(``alarms --endpoint``, the bare endpoint of ``view`` and ``status``, ``evaluate --extension``) are
still accepted.

The rule: a name is not removed in the version that brings the new one. For one version both are
taken, and the old one says on stderr what it is called now (``ecgmon_cli.options.say_renamed``). A
message's field, a metric or a file that must go is announced in the change log one version before.
"""

import pytest

from tests.support.subprocesses import ecgmon_each
from tests.surface.derived import PINNED, SURFACES

RENEW = "python -m tests.surface.derived"


@pytest.mark.parametrize("name", SURFACES)
def test_the_surface_is_what_is_pinned(name):
    pinned = (PINNED / f"{name}.txt").read_text().splitlines()
    now = SURFACES[name]()
    gone = [line for line in pinned if line not in now]
    assert not gone, f"removed or changed: keep the old name for one version with a notice: {gone}"
    new = [line for line in now if line not in pinned]
    assert not new, f"new: add it with {RENEW}, and a fragment to the change log: {new}"
    assert len(now) == len(set(now)), "a fact occurs twice"


@pytest.mark.thorough
def test_the_exit_codes_are_those_of_real_commands(tmp_path, env):
    commands = {
        0: ["--version"],
        1: ["status", "--monitor", f"ipc://{tmp_path}/nobody"],
        2: ["models", "show", "nobody"],
    }
    outcomes = ecgmon_each(commands.values(), tmp_path, env)
    assert [outcome.code for outcome in outcomes] == list(commands)
