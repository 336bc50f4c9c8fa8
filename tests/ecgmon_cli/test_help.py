import pytest

from tests.support.subprocesses import ecgmon, python

COMMANDS = (
    *("replay", "serve", "gateway", "view", "status", "alarms", "enroll", "train", "evaluate"),
    *("export", "forget", "models", "keys", "config", "doctor", "fleet"),
)
LOADED = """
import sys
from ecgmon_cli import main
sys.argv = ["ecgmon", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    print(end.code, *(name for name in sys.modules if "." not in name), file=sys.stderr)
"""
HEAVY = {
    "numpy",
    "torch",
    "onnx",
    "onnxruntime",
    "wfdb",
    "scipy",
    "pandas",
    "zmq",
    "monitor",
    "trainer",
}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["-h"],
        *([command, "--help"] for command in COMMANDS),
        ["models", "show", "-h"],
        ["keys", "make", "-h"],
    ],
)
def test_help_is_printed_without_loading_any_program(env, args):
    outcome = python(LOADED, *args, env=env)
    code, *modules = outcome.err.split()
    assert code == "0"
    assert "typer" in modules
    assert not HEAVY.intersection(modules)
    assert "Usage: ecgmon" in outcome.out


def test_help_names_the_commands_and_says_what_this_is_not(env):
    outcome = ecgmon("--help", env=env)
    assert (outcome.code, outcome.err) == (0, "")
    assert all(command in outcome.out for command in COMMANDS)
    assert "Not a certified medical device" in outcome.out


def test_no_command_prints_the_help(env):
    outcome = ecgmon(env=env)
    assert outcome.code == 2
    assert (outcome.out + outcome.err).strip() == ecgmon("--help", env=env).out.strip()


def test_the_version_is_printed(env):
    outcome = ecgmon("--version", env=env)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("ecgmon ")


@pytest.mark.parametrize("args", [["bogus"], ["replay", "--bogus"], ["serve", "extra"]])
def test_an_unknown_command_or_option_is_refused(env, args):
    outcome = ecgmon(*args, env=env)
    assert (outcome.code, outcome.out) == (2, "")
    assert "Traceback" not in outcome.err
    assert args[-1] in outcome.err
