"""A wearer id that equals a built-in model's name does not select that model."""

import json
import shutil

import pytest

from ecgmon.config import Config
from ecgmon.models.resolve import built_in, of_record, of_replay, resolve
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from monitor.configured import settings
from replay.simulator.simulation import simulate
from tests.support.subprocesses import ecgmon, ecgmon_each

PERSONAL = [name for name in built_in() if name != "generic"]
FAST = ("--speed", "max", "--no-view", "--json", "-")


@pytest.mark.parametrize("name", PERSONAL)
def test_a_wearer_of_that_name_is_judged_by_the_generic_model(name):
    generic = built_in()["generic"]
    assert resolve(None, name) == generic
    assert settings(Config()).policy.resolve(name) == generic
    record = simulate("normal", duration_s=330, wearer=name).record
    assert of_record(record) is None
    assert of_replay(None, name, None) == generic


@pytest.mark.parametrize("name", PERSONAL)
def test_who_asks_for_it_by_name_gets_it(name):
    assert resolve(name, None) == resolve(name, "ann") == of_replay(name, "ann", None)
    assert resolve(name, None) == built_in()[name]


@pytest.mark.thorough
def test_a_record_of_that_name_is_judged_by_the_generic_model(env, records, tmp_path):
    folder = tmp_path / "svdb"
    folder.mkdir()
    header = (records / "beats.hea").read_text()
    (folder / "203.hea").write_text(header.replace("beats", "203", 1))
    shutil.copy(records / "beats.dat", folder)
    play = ("replay", folder / "203", *FAST)
    outcomes = ecgmon_each([play, (*play, "--model", "203")], tmp_path, env)
    judges = [json.loads(outcome.out)["model"] for outcome in outcomes]
    assert [judge.partition("-")[0] for judge in judges] == ["generic", "203"]


@pytest.mark.thorough
def test_that_very_record_is_judged_by_its_own_whatever_it_is_called(mitdb, mitdb_env, tmp_path):
    """And what the model was fitted to is not scored."""
    own = built_in()["203"]
    for suffix in ("hea", "dat", "atr"):
        shutil.copy(mitdb / f"203.{suffix}", tmp_path / f"other.{suffix}")
    header = (tmp_path / "other.hea").read_text().replace("203 ", "other ", 1)
    (tmp_path / "other.hea").write_text(header.replace("203.", "other."))

    def fitted(path, **given):
        return of_record(read(obtain(str(path)), **given))

    assert fitted(tmp_path / "other") == fitted(mitdb / "203") == own
    assert fitted(mitdb / "203", lead="V1") is None
    assert fitted(mitdb / "100") is None
    outcome = ecgmon("replay", tmp_path / "other", *FAST, "--duration", "302", env=mitdb_env)
    result = json.loads(outcome.out)
    assert result["model"].startswith("203")
    assert (result["windows"], result["scored"]) == (301, 1)
