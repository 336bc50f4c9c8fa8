"""``ecgmon forget`` killed anywhere is finished by the next run."""

import pytest

from tests.support.forgetting import JUNO, assert_forgotten, audit, made
from tests.support.subprocesses import environment, python

KILLED = """
import os, shutil, signal, sqlite3, sys
from pathlib import Path
from ecgmon_cli import main
import ecgmon_cli.forget, ecgmon.terminal.progress, ecgmon.models.resolve
import ecgmon.keys, ecgmon.config
import monitor.configured, ecgmon.models.store, monitor.storage.erasure, monitor.storage.erasure_log

template, folder, wearer, at, every = sys.argv[1:]
sys.argv = ["ecgmon", "forget", wearer, "--yes"]
CHANGES = {"open", "os.remove", "os.rmdir", "os.rename", "shutil.rmtree", "sqlite3.connect"}
left = None

def step(*_):
    global left
    if left is not None:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return 0

class Watched(sqlite3.Connection):
    def __init__(self, *args, **given):
        super().__init__(*args, **given)
        self.set_progress_handler(step, 500)  # within a statement, too
    def execute(self, *args):
        step()
        return super().execute(*args)

connect = sqlite3.connect

def forget(state, at):
    global left
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.environ["ECGMON_STATE"] = str(state)
    for number in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    sqlite3.connect = lambda *args, **given: connect(*args, **given, factory=Watched)
    def count(event, args):
        global left
        if left is None and event == "open" and str(args[0]).endswith("forgotten.jsonl"):
            left = at  # before, nothing is changed
        if event in CHANGES:
            step()
    sys.addaudithook(count)
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    os._exit(code)

at = int(at)
while True:
    state = Path(folder) / str(at)
    shutil.copytree(template, state)
    first = forget(state, at)
    second = forget(state, 10**9) if first else None
    print(at, first, second, flush=True)
    if not first:
        break
    at += int(every)
"""


EVERY_MOMENT = [pytest.param(first, 6, marks=pytest.mark.slow) for first in range(6)]


@pytest.mark.thorough
@pytest.mark.parametrize(("first", "every"), [(0, 11), *EVERY_MOMENT])
def test_killed_anywhere_it_is_finished_by_the_next_run(tmp_path, first, every):
    template = made(tmp_path / "template")
    env = environment(tmp_path / "home")
    done = python(KILLED, template, tmp_path, JUNO, first, every, env=env)
    runs = [line.split() for line in done.out.splitlines()]
    assert runs[-1][1:] == ["0", "None"], done.err
    assert {killed for _, killed, _ in runs[:-1]} == {"-9"}
    assert {second for *_, second in runs[:-1]} <= {"0", "2"}  # 2 where all was done
    assert len(runs) > 5
    for at, *_ in runs:
        state = tmp_path / at
        assert_forgotten(state, template)
        assert audit(state)[-1]["state"] == "done"
