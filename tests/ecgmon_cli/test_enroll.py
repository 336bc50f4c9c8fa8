"""``ecgmon enroll`` end to end, on simulated wearers and with few steps of training."""

import json
import sys
import tempfile

import numpy as np
import pytest
import wfdb
from typer.testing import CliRunner

from ecgmon.core.constants import RATE
from ecgmon.core.errors import EcgmonError
from ecgmon.core.labels import ABNORMAL, NORMAL
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import resolve, stored
from ecgmon_cli.app import app
from ecgmon_cli.enroll import KEPT
from replay.player.resampled import at_rate
from replay.simulator.simulation import simulate
from tests.support.short_enrolments import shorten, write
from trainer.data import splits
from trainer.data.dataset import record_set
from trainer.enrolment import gate, sources
from trainer.enrolment.signal import take
from trainer.networks.window_networks import BeatNet

WEARER = "ann"
PLAYED = simulate("premature", duration_s=splits.ENROLMENT_S + 10).record
OTHER = at_rate(PLAYED, 250)


@pytest.fixture(scope="module")
def prepared():
    return record_set(PLAYED, BeatNet.geometry, BeatNet.steps_per_second)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    return {
        "annotated": write(folder, "annotated", PLAYED.samples, annotations=PLAYED.annotations),
        "bare": write(folder, "bare", PLAYED.samples),
        "flat": write(folder, "flat", np.full_like(PLAYED.samples, 100)),
        "noise": write(
            folder,
            "noise",
            np.random.default_rng(1).normal(0, 300, len(PLAYED.samples)).astype(np.int16),
        ),
        "slow": write(folder, "slow", PLAYED.samples, rate=64),
        "other rate": write(folder, "other", OTHER.samples, 250, OTHER.annotations),
        "short": write(folder, "short", PLAYED.samples[: 100 * RATE]),
    }


@pytest.fixture
def enroll(monkeypatch, tmp_path, prepared, records):
    """Return a call of the command; all other wearers are a simulated one."""
    shorten(monkeypatch, prepared)
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path / "state"))

    def call(record="annotated", *more):
        source = ["--record", records[record]] if record else []
        return CliRunner().invoke(app, ["enroll", "--patient", WEARER, *source, *more])

    return call


def objecting(monkeypatch, *objections):
    monkeypatch.setattr(gate.Verdict, "objections", property(lambda _: list(objections)))


@pytest.mark.thorough
def test_a_wearer_gets_a_model_and_a_second_is_judged_on_what_is_left(enroll, monkeypatch, records):
    objecting(monkeypatch)
    outcome = enroll()
    assert outcome.exit_code == 0, outcome.output
    assert "Version 1 is in service for ann." in outcome.stdout
    assert "generic-beatnet: wrong" in outcome.stdout
    own = resolve(None, WEARER)
    assert own == stored().path(WEARER, 1)
    card = Model.load(own).card
    assert (card.wearer, card.enrolment.record) == (WEARER, records["annotated"])
    assert (card.labels, card.enrolment.stop) == ("annotations", splits.ENROLMENT_S)

    again = enroll()
    assert "ann-beatnet was fitted to the last minute and is not judged on it." in again.stdout
    assert stored().versions(WEARER) == [1, 2]


@pytest.mark.slow
def test_a_record_of_250_hz_enrols_as_the_same_signal_at_360_does(enroll):
    figures = []
    for record in ("other rate", "annotated"):
        outcome = enroll(record, "--force", "--json", "-")
        assert outcome.exit_code == 0, outcome.output
        figures.append(json.loads(outcome.stdout))
    other, same = figures
    for name in ("seconds", "usable"):
        assert other[name] == same[name] == splits.ENROLMENT_S
    for name in ("normal", "abnormal"):
        assert abs(other[name] - same[name]) <= 2
        assert other[name] > 10


@pytest.mark.slow
def test_a_stored_enrolment_at_another_rate_can_be_reviewed_again(enroll):
    assert enroll("other rate", "--assume-normal", "--force").exit_code == 0
    assert enroll("other rate", "--assume-normal", "--force").exit_code == 0  # the same signal
    (header,) = (stored().folder.parent / "enrolments" / WEARER).glob("*.hea")
    there = wfdb.rdrecord(str(header.with_suffix("")))
    seconds = splits.ENROLMENT_S + 1
    assert (there.fs, there.sig_len) == (RATE, seconds * RATE)
    off = there.p_signal[RATE:-RATE, 0] - PLAYED.millivolts()[RATE : (seconds - 1) * RATE]
    assert np.sqrt(np.mean(off**2)) < 0.02


@pytest.mark.thorough
def test_a_worse_model_is_stored_but_not_put_into_service_unless_forced(enroll, monkeypatch):
    objecting(monkeypatch, "it is worse")
    outcome = enroll()
    assert outcome.exit_code == KEPT
    assert "Against the new model: it is worse." in outcome.stdout
    assert "ecgmon models activate ann 1" in " ".join(outcome.stdout.split())
    assert stored().versions(WEARER) == [1]
    assert resolve(None, WEARER) == resolve("generic", None)
    assert enroll("annotated", "--force").exit_code == 0
    (activation,) = stored().service(WEARER).activations
    assert (activation.version, activation.forced) == (2, True)


@pytest.mark.thorough
def test_the_figures_for_scripts_are_those_of_the_verdict(enroll, prepared):
    outcome = enroll("annotated", "--json", "-")
    figures = json.loads(outcome.stdout)
    assert (figures["patient"], figures["version"]) == (WEARER, 1)
    assert figures["in_service"] == (not figures["objections"])
    assert outcome.exit_code == (0 if figures["in_service"] else KEPT)
    minute = figures["minute_new"]
    assert sum(minute.values()) == sum(figures["minute_old"].values()) > 50
    assert figures["panel_new"]["fp"] == figures["panel_new"]["tn"] == 0
    card = Model.load(stored().path(WEARER, 1)).card
    assert minute == {n: getattr(card.validation, n) for n in ("tp", "fp", "tn", "fn")}
    enrolled = prepared.labels[: splits.ENROLMENT_S]
    assert figures["usable"] == figures["seconds"] == splits.ENROLMENT_S
    assert figures["normal"] == (enrolled == NORMAL).sum()
    assert figures["abnormal"] == (enrolled == ABNORMAL).sum() > 0


@pytest.mark.thorough
def test_what_is_assumed_normal_calibrates_and_keeps_the_signal(enroll, records):
    outcome = enroll("bare", "--assume-normal", "--force", "--json", "-")
    assert outcome.exit_code == 0, outcome.output
    figures = json.loads(outcome.stdout)
    assert (figures["labels"], figures["abnormal"]) == ("assumed normal", 0)
    card = Model.load(stored().path(WEARER, 1)).card
    assert (card.network, card.labels) == ("beatnet-baseline", "assumed normal")
    (header,) = (stored().folder.parent / "enrolments" / WEARER).glob("*.hea")
    there = wfdb.rdrecord(str(header.with_suffix("")), physical=False)
    seconds = splits.ENROLMENT_S + 1
    np.testing.assert_array_equal(there.d_signal[:, 0], PLAYED.samples[: seconds * RATE])
    assert header.with_suffix(".html").read_text().startswith("<!doctype html>")


@pytest.mark.thorough
def test_the_signal_of_a_record_at_another_rate_is_as_the_monitor_receives_it(records):
    used = sources.from_record(records["other rate"], None, splits.ENROLMENT_S)
    same = sources.from_record(records["annotated"], None, splits.ENROLMENT_S)
    assert (used.rate, len(used.samples)) == (RATE, len(same.samples))
    off = (used.millivolts() - same.millivolts())[RATE:-RATE]
    assert np.sqrt(np.mean(off**2)) < 0.02
    assert used.annotations.symbols == same.annotations.symbols
    assert np.abs(used.annotations.samples - same.annotations.samples).max() <= 3
    prepared = [take(each, BeatNet, splits.ENROLMENT_S) for each in (used, same)]
    assert [each.usable.all() for each in prepared] == [True, True]
    beats = [each.beats for each in prepared]
    assert len(beats[0]) == len(beats[1])
    assert np.abs(beats[0] - beats[1]).max() <= 3


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("record", "options", "reason"),
    [
        ("flat", [], "only 2 can be used .0 noisy or clipped, 298 with missing"),
        ("noise", [], "0 can be used .300 noisy or clipped"),
        ("slow", [], "sampled at 64 Hz: give a record of 100 to 1000 Hz"),
        ("short", [], "too short: it has 100 whole seconds"),
        ("bare", [], "This is no terminal, and nothing says what is normal in .*bare"),
        ("bare", ["--patient", "../ann"], "cannot be a wearer's id"),
        ("bare", ["--captured"], "one only"),
        ("bare", ["--review", "--assume-normal"], "leave one of the options out"),
        (None, [], "Give the signal to learn from"),
        (None, ["--captured"], "run it in one to judge twenty beats"),
        (None, ["--captured", "--assume-normal"], "Nothing of ann is captured"),
        ("annotated", ["--generic", __file__], "has no model card"),
        ("annotated", ["--json", "/nowhere/x.json"], "/nowhere/x.json cannot be written"),
    ],
)
def test_an_impossible_enrolment_is_reported_in_a_sentence_and_leaves_no_model(
    enroll, record, options, reason
):
    outcome = enroll(record, *options)
    assert isinstance(outcome.exception, EcgmonError), outcome.output
    assert outcome.exception.exit_code == 2
    with pytest.raises(EcgmonError, match=reason):
        raise outcome.exception
    assert stored().versions(WEARER) == []


def test_a_model_edited_by_hand_is_nothing_to_start_from(enroll, tmp_path):
    data = resolve("generic", None).read_bytes()
    edited = tmp_path / "edited.onnx"
    edited.write_bytes(data.replace(b'"threshold":0.', b'"threshold":1.'))
    outcome = enroll("annotated", "--generic", str(edited))
    with pytest.raises(EcgmonError, match=r"damaged|cannot be read"):
        raise outcome.exception


def test_an_unwritable_folder_is_reported(enroll, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", "/proc")
        with pytest.raises(EcgmonError, match="The new model cannot be written in /proc"):
            raise enroll().exception
    assert stored().versions(WEARER) == []
    monkeypatch.setenv("ECGMON_STATE", "/proc/nowhere")
    with pytest.raises(EcgmonError, match=r"in the folder /proc/nowhere/models/ann .*STATE"):
        raise enroll("bare", "--assume-normal").exception


def test_nobody_can_be_called_generic(enroll):
    with pytest.raises(EcgmonError, match="generic is the name of the generic model"):
        raise enroll("annotated", "--patient", "generic").exception


def test_without_torch_the_error_names_what_to_install_and_the_alternative(enroll, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EcgmonError) as refusal:
        raise enroll().exception
    assert "pip install 'ecgmon[train]'" in str(refusal.value)
    assert "ecgmon models export and import" in str(refusal.value)
