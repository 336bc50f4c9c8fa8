"""``ecgmon evaluate --protocol rhythm``: real records with rhythm annotations, played whole."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.support.subprocesses import ecgmon, environment

pytestmark = pytest.mark.thorough
RECORDS = ("cudb/cu16", "cudb/cu24")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("rhythms") / "two"
    made.mkdir()
    data = os.environ.get("ECGMON_DATA")
    for record in RECORDS:
        if data is None or not Path(data, f"{record}.hea").is_file():
            pytest.skip(f"{record} is not in $ECGMON_DATA")
        for file in Path(data, record).parent.glob(f"{record[5:]}.*"):
            shutil.copy(file, made)
    return made


def evaluated(database, home, *also):
    places = ("--out", home / "out", "--work", home / "work", *also)
    command = ("evaluate", "--protocol", "rhythm", "--database", database, *places)
    return ecgmon(*command, env=environment(home))


def test_episodes_are_counted_and_kept(folder, tmp_path):
    done = evaluated(folder, tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "either as one" in done.out
    result = json.loads((tmp_path / "out/rhythm/two/result.json").read_text())
    either = result["kinds"]["either"]
    assert (either["found"], either["missed"]) == (3, 0)
    for of in result["per_record"].values():
        assert 0 <= min(of["delays_s"]) <= 6
    page = (tmp_path / "out/rhythm/two/README.md").read_text()
    drawn = sorted(file.name for file in (tmp_path / "out/rhythm/two").glob("*.png"))
    assert drawn == sorted(re.findall(r"\((worst-\d.png)\)", page))
    assert "| two/cu16 |" in page
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "work").rglob("*.ecgmon")}
    assert len(kept) == 2
    assert evaluated(folder, tmp_path).code == 0
    assert {file: file.stat().st_mtime_ns for file in kept} == kept


@pytest.mark.parametrize(
    ("remove", "why"),
    [("*.atr", "has rhythm annotations"), ("*.*", "holds no WFDB records")],
)
def test_a_folder_without_any_is_refused_in_one_sentence(folder, tmp_path, remove, why):
    bare = tmp_path / "bare"
    shutil.copytree(folder, bare)
    for file in bare.glob(remove):
        file.unlink()
    done = evaluated(bare, tmp_path)
    assert done.code != 0
    assert why in done.err
    assert "Traceback" not in done.err


def test_the_folder_must_be_named(tmp_path):
    done = ecgmon("evaluate", "--protocol", "rhythm", env=environment(tmp_path))
    assert done.code == 2
    assert "name their folder with --database" in " ".join(done.err.split())
