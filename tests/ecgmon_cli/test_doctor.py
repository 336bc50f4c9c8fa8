"""Findings of ``ecgmon doctor`` on machines without problems, with problems, and in use."""

import base64
import hashlib
import json
import re
import shutil
import socket
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from ecgmon.records.captured.layout import CapturedHeader
from ecgmon_cli.diagnosis.packages import PACKAGES
from tests.support.subprocesses import ECGMON, ecgmon, ecgmon_each, python, start

ROOT = Path(__file__).parents[2]

FREE = {
    "ECGMON_NETWORK_INGEST": "tcp://127.0.0.1:*",
    "ECGMON_NETWORK_PUBLISH": "tcp://127.0.0.1:*",
    "ECGMON_NETWORK_METRICS": "",
}


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


def findings(outcome, code):
    assert (outcome.code, outcome.err) == (code, "")
    found = {}
    for finding in json.loads(outcome.out):
        found.setdefault(finding["check"], []).append(finding)
    return found


def journal(path, *rows):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE journal (id INTEGER PRIMARY KEY, time, type, wearer, message)")
        db.executemany("INSERT INTO journal (time) VALUES (?)", ((row,) for row in rows))
        db.commit()


def captured(folder, wearer, header=None):
    about = CapturedHeader.decode(
        b"0123456789abcdef-0000000000000000000 1 360\n"
        b"0123456789abcdef-0000000000000000000.dat 16 200.0(0)/mV 16 0 0 0 0 II\n"
        b'#{"wearer":"ann","stream":"0123456789abcdef","first":0,"rate":360.0,"gain":200.0,'
        b'"lead":"II","began":"2026-01-01T00:00:00Z"}\n'
    )
    home = folder / "captured" / wearer
    home.mkdir(parents=True)
    (home / f"{about.name}.hea").write_bytes(header or about.encode())
    (home / f"{about.name}.dat").write_bytes(bytes(7200))


@pytest.mark.thorough
def test_a_machine_that_is_well_has_no_problems(env, tmp_path, state):
    journal(state / "journal.db", 1.0, 2.0)
    captured(state, "ann")
    before = {path: path.stat().st_mtime_ns for path in state.rglob("*")}
    env = env | FREE | {"ECGMON_STATE": str(state), "FORCE_COLOR": "1", "NO_COLOR": "1"}
    plain, as_json = ecgmon_each([("doctor",), ("doctor", "--json", "-")], tmp_path, env)
    found = findings(as_json, 0)
    assert {f["verdict"] for name, each in found.items() for f in each if name != "clock"} == {"ok"}
    assert "with 2 rows" in found["journal"][0]["text"]
    assert "1 records of 1 wearers" in found["captured"][0]["text"]
    assert "trainer are ecgmon's own" in found["packages"][0]["text"]
    assert re.search(r"Python 3.*libzmq 4.*onnxruntime 1.*SQLite 3", found["versions"][0]["text"])
    assert plain.code == 0
    assert "\x1b[3" not in plain.out
    assert len(plain.out.splitlines()) == sum(map(len, found.values()))
    assert {path: path.stat().st_mtime_ns for path in state.rglob("*")} == before


@pytest.mark.thorough
def test_each_problem_is_reported_with_what_to_do(env, tmp_path, state):
    state.chmod(0o777)
    journal(state / "journal.db", *range(5000))
    with (state / "journal.db").open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 4096)
    captured(state, "ann", b"garbage")
    service = state / "models" / "bob" / "service.json"
    service.parent.mkdir(parents=True)
    (service.parent / "0001.onnx").write_bytes(b"garbage")
    service.write_text('{"activations":[{"version":1,"at":""}]}')
    (state / "keys").mkdir(mode=0o700)
    (state / "keys" / "client.key").touch(0o644)
    with socket.create_server(("127.0.0.1", 0)) as other:
        in_use = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        changes = {"ECGMON_STATE": state, "ECGMON_NETWORK_INGEST": in_use}
        changes["ECGMON_NETWORK_PUBLISH"] = "tcp://0.0.0.0:*"
        changes["ECGMON_STORAGE_DISK_FREE_MB"] = 1_000_000_000
        env = env | FREE | {name: str(value) for name, value in changes.items()}
        found = findings(ecgmon("doctor", "--json", "-", env=env), 1)
    ills = {
        "folder": "others may write to",
        "journal": "is damaged",
        "captured": "is not as a monitor wrote it",
        "models": "bob's own cannot serve",
        "disk": "less than 1,000,000,000 MB",
        "ports": f"{in_use} cannot be bound: Address already in use",
        "keys": "other machines can reach tcp://0.0.0.0:*",
    }
    for check, text in ills.items():
        problem_found, *_ = (each for each in found[check] if each["verdict"] == "problem")
        assert text in problem_found["text"]
        assert problem_found["advice"]
    assert "others may read the secret" in found["keys"][1]["text"]


@pytest.mark.thorough
def test_the_endpoints_of_a_monitor_at_work_are_its_own(env, tmp_path, state):
    with socket.create_server(("127.0.0.1", 0)) as a, socket.create_server(("127.0.0.1", 0)) as b:
        ingest, publish = (f"tcp://127.0.0.1:{s.getsockname()[1]}" for s in (a, b))
    env |= {
        "ECGMON_NETWORK_INGEST": ingest,
        "ECGMON_NETWORK_PUBLISH": publish,
        "ECGMON_NETWORK_METRICS": "",
        "ECGMON_STATE": str(state),
        "FORCE_COLOR": "1",
    }
    with start(ECGMON, "serve", folder=tmp_path / "serve", env=env) as daemon:
        daemon.wait_for("ready")
        outcome = ecgmon("doctor", env=env)
    assert outcome.code == 0
    for endpoint in (ingest, publish):
        assert f"{endpoint} is used by a running monitor" in outcome.out
    assert "\x1b[32mok" in outcome.out


def foreign_trainer(folder):
    """Another project's package of the same name."""
    (folder / "trainer").mkdir(parents=True, exist_ok=True)
    (folder / "trainer" / "__init__.py").write_text('"""Trains dogs."""\n')


def packages_of(env):
    """Return the doctor's report of packages from a new interpreter, with the verdicts."""
    program = (
        "from ecgmon_cli.diagnosis.packages import packages\n"
        "for finding in packages():\n"
        "    print(finding.verdict, finding.text)"
    )
    # As for the console script, the folder of the tests is not on the path.
    outcome = python(program, env=env | {"PYTHONSAFEPATH": "1"})
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def test_all_packages_that_are_built_are_looked_for():
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert built["targets"]["wheel"]["packages"] == list(PACKAGES)


def test_a_package_of_another_project_that_is_found_first_is_a_problem(env, tmp_path):
    foreign_trainer(tmp_path)
    first = ":".join(filter(None, (str(tmp_path), env.get("PYTHONPATH"))))
    output = packages_of(env | {"PYTHONPATH": first})
    assert output == f"problem Python finds another trainer, at {tmp_path}/trainer\n"


def installed(site, name, folders):
    """Record the files of folders as an installer does."""
    rows = [
        f"{file.relative_to(site)},sha256="
        + base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).decode().rstrip("=")
        + f",{file.stat().st_size}"
        for folder in folders
        for file in (site / folder).rglob("*")
        if file.is_file()
    ]
    about = site / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "RECORD").write_text("\n".join([*rows, f"{about.name}/RECORD,,", ""]))


def test_files_that_another_project_has_overwritten_are_a_problem(env, tmp_path):
    site = tmp_path / "site"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    installed(site, "ecgmon", PACKAGES)
    env = env | {"PYTHONPATH": str(site)}
    assert packages_of(env).startswith("ok ")
    foreign_trainer(site)
    installed(site, "dogs", ["trainer"])
    (site / "viewer" / "model" / "bell.py").unlink()
    assert packages_of(env).splitlines() == [
        "problem not as it was installed: viewer/model/bell.py",
        "problem not as it was installed: trainer/__init__.py; dogs installed files there",
    ]
