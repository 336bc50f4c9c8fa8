"""``ecgmon models`` with a wearer's models of beats beside those of seconds."""

import json

import pytest
from typer.testing import CliRunner

from ecgmon.config import Config
from ecgmon.config.schema import ModelsSection
from ecgmon.core.errors import BundleError
from ecgmon.models.resolve import resolve, stored
from ecgmon_cli.app import app
from ecgmon_cli.diagnosis import software
from monitor.configured import settings
from tests.support.beat_bundles import export_random, of_wearer
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
    assert "No model of beats of ann's own is in service any more." in models(
        "rollback", "ann", "--beats"
    )
    assert "The generic model is in service for ann again." in models("rollback", "ann")
    models("export", "ann", tmp_path / "out.onnx", "--version", "3")
    assert (tmp_path / "out.onnx").read_bytes() == beats.read_bytes()
    models("export", "ann", tmp_path / "second.onnx", "--version", "2")
    models("activate", "ann", "2")
    models("export", "ann", tmp_path / "beats.onnx", "--beats")
    assert (tmp_path / "beats.onnx").read_bytes() == (tmp_path / "second.onnx").read_bytes()


def test_a_bundle_of_nobody_judges_all_beats_that_no_wearer_has_a_model_for(tmp_path, monkeypatch):
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path / "state"))
    bundle = export_random(tmp_path / "beats.onnx")
    policy = settings(Config(models=ModelsSection(beats=str(bundle)))).policy
    assert policy.resolve_beats("ann") == bundle
    with pytest.raises(BundleError, match=r"of nobody, not of ann: for everyone, name it in"):
        stored().add("ann", bundle)
    stored().activate("ann", stored().add("ann", of_wearer(bundle, tmp_path / "ann.onnx", "ann")))
    assert policy.resolve_beats("ann") == stored().path("ann", 1)
    assert policy.resolve_beats("ben") == bundle
    # Who names a wearer has that wearer's model in service, also the next one.
    of_ann = settings(Config(models=ModelsSection(beats="ann"))).policy
    assert of_ann.resolve_beats("ben") == stored().path("ann", 1)
    stored().activate("ann", stored().add("ann", tmp_path / "ann.onnx"))
    assert of_ann.resolve_beats("ben") == stored().path("ann", 2)


def test_what_cannot_judge_beats_is_refused_before_a_device_comes(tmp_path, monkeypatch):
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path / "state"))
    published = export_random(tmp_path / "published.onnx", segments="published")
    window = {"history_s": 0, "look_ahead_s": 0, "rate": 120}
    stored().add("bob", write_bundle(tmp_path / "bob.onnx", wearer="bob", **window))
    for name, sentence in {
        str(resolve("generic", None)): r"judges windows, not beats: give a bundle of beats\.",
        str(published): r"sees beats as no monitor has them",
        str(tmp_path / "none.onnx"): r"There is no model .*none\.onnx: give a bundle's path or",
        "a" * 300: r"There is no model aaa",
        "bob": r"No model of beats is in service for bob\.",
    }.items():
        with pytest.raises(BundleError, match=sentence):
            settings(Config(models=ModelsSection(beats=name)))
