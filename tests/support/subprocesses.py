"""Real processes: the installed console script, and small Python programs.

The only place where tests start processes.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ECGMON = Path(sys.executable).with_name("ecgmon")
PATIENCE_S = 60
"""For what must come; only a failing test waits so long."""


@dataclass(frozen=True)
class Outcome:
    """Exit status and output of a process."""

    code: int
    out: str
    err: str


def environment(home, **changes):
    """Return an environment without records, without a network, and with an empty home."""
    names = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_CONFIG")
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    fixed = {
        "HOME": str(home),
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "ECGMON_NETWORK_METRICS": "",  # one port for all: no two monitors could run
        # A warning of ours is a failure; pandas deprecates what wfdb does.
        "PYTHONWARNINGS": "error,ignore::DeprecationWarning",
    }
    return inherited | nowhere | fixed | {name: str(value) for name, value in changes.items()}


def ecgmon(*args, env, program=ECGMON, patience_s=PATIENCE_S):
    """Run the console script to its end, another installation's if one is named."""
    return _run([program, *args], env, patience_s)


def python(program, *args, env=None, patience_s=PATIENCE_S):
    """Run a small program to its end."""
    return _run([sys.executable, "-c", program, *args], env, patience_s)


def shell(line, env, patience_s=PATIENCE_S):
    """Run a line of bash to its end."""
    return _run(["bash", "-c", line], env, patience_s)


def _run(command, env, patience_s=PATIENCE_S, **given):
    done = subprocess.run(
        [str(part) for part in command],
        env=env,
        **(given or {"stdin": subprocess.DEVNULL}),
        capture_output=True,
        text=True,
        timeout=patience_s,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


_FORKS = """
import importlib, json, os, sys, traceback
from ecgmon_cli import main
import ecgmon_cli.replay_session, ecgmon.records.fetch, ecgmon.records.read, monitor.daemon

for name in sys.argv[1:]:
    importlib.import_module(name)

def child(args, out, err):
    sys.argv = ["ecgmon", *args]
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

for line in sys.stdin:
    pid = os.fork()
    if not pid:
        child(*json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def ecgmon_each(commands, folder, env, also=()):
    """Run many commands in turn, each in a process of its own forked from one that is loaded.

    To start each anew would cost a second of imports every time, and more with torch, which
    ``also`` may name.
    """
    files = [(folder / f"{i}.out", folder / f"{i}.err") for i in range(len(commands))]
    lines = [
        json.dumps([[str(arg) for arg in args], str(out), str(err)])
        for args, (out, err) in zip(commands, files, strict=True)
    ]
    patience_s = PATIENCE_S + len(lines)
    done = _run([sys.executable, "-c", _FORKS, *also], env, patience_s, input="\n".join(lines))
    codes = [int(code) for code in done.out.split()]
    return [
        Outcome(code, out.read_text(), err.read_text())
        for code, (out, err) in zip(codes, files, strict=True)
    ]


class Running:
    """A process under way; its output goes to files, so that it never waits for a reader."""

    def __init__(self, process, out, err):
        self.process = process
        self._files = out, err

    def wait_for(self, pattern, patience_s=PATIENCE_S):
        """Wait until it has written something; returns the match."""
        deadline = time.monotonic() + patience_s
        while not (found := re.search(pattern, self.written)):
            assert time.monotonic() < deadline, f"never wrote {pattern!r}: {self.written}"
            assert self.process.poll() is None, f"ended without {pattern!r}: {self.written}"
            time.sleep(0.02)
        return found

    @property
    def written(self):
        return "\n".join(file.read_text() for file in self._files)

    @property
    def last_wrote_s(self):
        """When it wrote something for the last time, by the system's clock."""
        return max(file.stat().st_mtime for file in self._files)

    def end(self, number=None):
        """Wait for its end, after a signal if one is named; returns how it ended."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        return Outcome(code, *(file.read_text() for file in self._files))


@contextlib.contextmanager
def start(*command, folder, env=None):
    """Start a process that is killed, if it still runs, at the end of the ``with`` block."""
    folder.mkdir(exist_ok=True)
    out, err = folder / "out", folder / "err"
    with out.open("w") as out_file, err.open("w") as err_file:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out_file,
            stderr=err_file,
        )
    try:
        yield Running(process, out, err)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
