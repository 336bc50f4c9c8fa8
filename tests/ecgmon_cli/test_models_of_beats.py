"""``ecgmon models`` with a wearer's models of beats beside those of seconds."""

import json

import pytest
from typer.testing import CliRunner

from ecgmon.config import Config
from ecgmon_cli.app import app
from ecgmon_cli.diagnosis import software
from tests.support.beat_bundles import export_random
from tests.support.bundles import write_bundle


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Run ``ecgmon models`` in this process, with a state folder of its own."""
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path / "state"))

    def run(*args):
        env = {"COLUMNS": "100", "TERM": "xterm", "NO_COLOR": "1"}
        done = CliRunner().invoke(app, ["models", *map(str, args)], env=env, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return run


@pytest.mark.thorough
def test_both_kinds_are_listed_shown_served_and_rolled_back(models, tmp_path):
    window = write_bundle(
        tmp_path / "window.onnx", wearer="ann", history_s=0, look_ahead_s=0, rate=120
    )
    beats = export_random(tmp_path / "beats.onnx", wearer="ann")
    for path in (window, beats, beats):
        models("import", "ann", path)
    lines = (line.split() for line in models("list").splitlines() if "ann/" in line)
    rows = {words[0]: (words[1], "beats" in words) for words in lines}
    assert rows == {
        "ann/1": ("ann", False),
        "ann/2": ("nobody", True),
        "ann/3": ("ann", True),
    }
    listed = json.loads(models("list", "--json", "-"))
    assert [listed[f"ann/{n}"]["in_service"] for n in (1, 2, 3)] == [True, False, True]
    assert listed["ann/3"]["card"]["input"] == "beat"
    assert "single beats: N, S, V, F, Q" in models("show", "ann/3")
    assert "Version 2 is in service for ann again." in models("rollback", "ann", "--beats")
    (text,) = (one.text for one in software.models(Config()) if "of beats" in one.text)
    assert text.startswith("ann's own of beats: context runs, and calls silence ")
    assert "Beats of ann are not judged any more." in models("rollback", "ann", "--beats")
    assert "The generic model is in service for ann again." in models("rollback", "ann")
    models("export", "ann", tmp_path / "out.onnx", "--version", "3")
    assert (tmp_path / "out.onnx").read_bytes() == beats.read_bytes()
