"""Names of the files that a monitor and its commands leave in the state folder."""

import re
import signal
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from monitor.storage.erasure_log import NAME
from replay.simulator.simulation import simulate
from tests.ecgmon_cli.test_export import ANYWHERE, WEARER, send
from tests.support.subprocesses import ECGMON, ecgmon_each, environment, start

MODEL = Path(__file__).parents[2] / "ecgmon" / "models" / "built_in" / "203.onnx"


def state_folder():
    """Run a monitor that captures a wearer, make a key, import a model; return what is there."""
    with tempfile.TemporaryDirectory() as home:
        folder, state = Path(home), Path(home) / "state"
        env = environment(folder / "home", ECGMON_STATE=state)
        with start(ECGMON, "serve", *ANYWHERE, folder=folder / "serve", env=env) as daemon:
            endpoint = daemon.wait_for(r"event=ready ingest=(\S+) publish=\S+")[1]
            send(endpoint, simulate("normal", duration_s=5).record)
            commands = [
                ["keys", "make", "watch", "--device", WEARER, "-o", "-"],
                ["models", "import", "203", MODEL],
            ]
            outcomes = ecgmon_each(commands, folder, env)
            assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
            while_it_runs = _names(state)
            assert daemon.end(signal.SIGTERM).code == 0
        stopped = _names(state)
        with closing(sqlite3.connect(state / "journal.db")) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            (table,) = db.execute("SELECT sql FROM sqlite_master WHERE type = 'table'").fetchone()
    only_then = [f"{name} while it runs" for name in sorted(while_it_runs - stopped)]
    forgotten = f"{NAME} after ecgmon forget"
    return [*sorted(stopped), *only_then, forgotten, f"journal.db, layout {version}: {table}"]


def _names(folder):
    """Return the files of a folder; what is another number every time is named in capitals."""
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    patterns = ((WEARER, "WEARER"), (r"[0-9a-f]{16}-[0-9]{19}", "STREAM-FIRST"))
    for pattern, word in patterns:
        names = {re.sub(pattern, word, name) for name in names}
    return names
