"""The cards of bundles, printed for people and for programs."""

import json
import re
import shutil
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from ecgmon.models.atrial_bundle import AtrialCard
from ecgmon.models.beat_bundle import BeatCard
from ecgmon.models.bundle import Model, checksum, judges, metadata
from ecgmon.models.card import Card, Validation
from ecgmon.models.resolve import built_in, resolve, stored
from ecgmon.models.rhythm_bundle import RhythmCard
from ecgmon_cli.cards import app
from tests.support.subprocesses import ecgmon, python

EARLIER = Path(__file__).parents[1] / "fixtures" / "0.1.0"
LABELS = {
    "windows": "total",
    "balanced accuracy": "balanced_accuracy",
    "sensitivity": "sensitivity",
    "positive predictive value (PPV)": "ppv",
    "F1": "f1",
    "false positives per hour": "false_alerts_per_hour",
    "missed abnormal windows per hour": "missed_per_hour",
}
RULED = Validation("who chose", ("mitdb/106", "mitdb/114", "own/1"), tp=6, fp=3, tn=89, fn=2)
NORMAL_ONLY = Validation("the rest", ("mitdb/203",), tp=0, fp=0, tn=1800, fn=0)


def models(*args, **env):
    """Run ``ecgmon models`` in this process; returns what it writes."""
    env = {"COLUMNS": "100", "TERM": "xterm", "NO_COLOR": None, "FORCE_COLOR": None} | env
    done = CliRunner().invoke(app, [str(arg) for arg in args], env=env, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def rewritten(path, **changes):
    """Write the generic model with a changed card."""
    source = resolve("generic", None)
    card = msgspec.structs.replace(Model.load(source).card, **changes)
    graph, text = source.read_bytes()[: card.graph_bytes], msgspec.json.encode(card)
    path.write_bytes(graph + metadata(text, checksum(graph, text)))
    return path


def figures(shown):
    """Return the printed text of each figure, one for each column."""
    rows = (re.match(rf"({'|'.join(map(re.escape, LABELS))})  +(.*)", r) for r in shown.split("\n"))
    return {row[1]: row[2].split() for row in rows if row}


def by_hand(tp, fp, tn, fn):
    hours = (tp + fp + tn + fn) / 3600
    return {
        "windows": f"{tp + fp + tn + fn:,}",
        "balanced accuracy": f"{(tp / (tp + fn) + tn / (tn + fp)) / 2:.3f}",
        "sensitivity": f"{tp / (tp + fn):.3f}",
        "positive predictive value (PPV)": f"{tp / (tp + fp):.3f}",
        "F1": f"{2 * tp / (2 * tp + fp + fn):.3f}",
        "false positives per hour": f"{fp / hours:.1f}",
        "missed abnormal windows per hour": f"{fn / hours:.1f}",
    }


CARDS = {"window": Card, "beat": BeatCard, "rhythm": RhythmCard, "atrial": AtrialCard}
OF_WINDOWS = [name for name, path in built_in().items() if judges(path) == "window"]


@pytest.mark.parametrize("name", OF_WINDOWS)
def test_the_figures_of_a_built_in_model_are_those_of_its_cards_counts(name):
    card = Model.load(resolve(name, None)).card
    for part, judged in (("validation", card.validation), ("evaluation", card.evaluation)):
        if judged is None:
            continue
        column = 0 if part == "validation" else 1
        shown = {label: values[column] for label, values in figures(models("show", name)).items()}
        assert shown == by_hand(judged.tp, judged.fp, judged.tn, judged.fn)


def test_validation_and_evaluation_are_side_by_side(tmp_path):
    path = rewritten(tmp_path / "m.onnx", validation=RULED, evaluation=NORMAL_ONLY)
    shown = models("show", path)
    assert re.search(r"^ +validation +evaluation$", shown, re.MULTILINE)
    assert figures(shown) == {
        "windows": ["100", "1,800"],
        "balanced accuracy": ["0.859", "-"],
        "sensitivity": ["0.750", "-"],
        "positive predictive value (PPV)": ["0.667", "-"],
        "F1": ["0.706", "-"],
        "false positives per hour": ["108.0", "0.0"],
        "missed abnormal windows per hour": ["72.0", "0.0"],
    }
    assert "who chose: mitdb 106 114, own 1; 8 of 100 windows abnormal" in shown
    assert "the rest: mitdb 203; 0 of 1,800 windows abnormal" in shown


def test_a_card_says_what_the_model_is_and_what_it_saw():
    shown = " ".join(models("show", "203").split())
    card, sha256 = Model.load(resolve("203", None)).card, Model.load(resolve("203", None)).sha256
    for text in (
        f"{card.name} wearer 203 network {card.network}, {card.parameters:,} parameters",
        f"threshold {card.threshold:.2f}",
        f"{card.history_s:g} s of history, the second it judges, and {card.look_ahead_s:g} s after",
        f"{card.rate} Hz; causal Butterworth band-pass 0.4-30 Hz",
        f"{len({span.record for span in card.trained_on}) - 1} records (",
        f"enrolled on mitdb/203, 0 to 300 s: {card.windows} labelled windows, "
        f"{card.abnormal_windows} abnormal",
        f"{card.created}, seed {card.seed}",
        f"sha256 {sha256}",
    ):
        assert text in shown
    generic = " ".join(models("show").split())
    assert "generic-" in generic
    assert "wearer anyone: this is a generic model" in generic
    assert "enrolled on" not in generic


def test_the_json_is_the_complete_card_with_its_figures(tmp_path):
    path = rewritten(tmp_path / "m.onnx", validation=RULED, evaluation=NORMAL_ONLY)
    assert models("show", path, "--json", tmp_path / "card.json") == ""
    output = json.loads((tmp_path / "card.json").read_text())
    model = Model.load(path)
    assert msgspec.convert(output["card"], Card) == model.card
    assert (output["sha256"], output["bytes"]) == (model.sha256, path.stat().st_size)
    assert list(output["figures"]) == ["validation", "evaluation"]
    assert output["figures"]["validation"]["f1"] == 12 / 17
    assert output["figures"]["evaluation"]["sensitivity"] is None
    assert list(output["figures"]["validation"]) == list(LABELS.values())


def test_the_list_has_a_row_for_each_built_in_model(env):
    outcome = ecgmon("models", "list", env=env | {"COLUMNS": "60"})
    assert (outcome.code, outcome.err) == (0, "")
    assert max(map(len, outcome.out.splitlines())) <= 60
    rows = {line.split()[0]: line.split()[1:] for line in outcome.out.splitlines()[2:] if line}
    assert [name for name in rows if name in built_in()] == list(built_in())
    for name in OF_WINDOWS:
        path = built_in()[name]
        card = Model.load(path).card
        validation = by_hand(*(getattr(card.validation, n) for n in ("tp", "fp", "tn", "fn")))
        assert rows[name] == [
            "replay" if card.wearer else "anyone",
            card.network,
            f"{card.parameters:,}",
            f"{path.stat().st_size / 1000:.0f}",
            "kB",
            validation["balanced accuracy"],
            validation["F1"],
        ]
    output = json.loads(models("list", "--json", "-"))
    assert list(output) == list(built_in())
    for name, each in output.items():
        assert msgspec.convert(each["card"], CARDS[each["card"]["input"]]).name
        assert (each["card"]["input"] == "window") == (name in OF_WINDOWS)


def test_the_list_says_who_should_be_enrolled_again(tmp_path, monkeypatch):
    shutil.copytree(EARLIER / "state", tmp_path / "state")  # of ann, whom 0.1.0 enrolled
    monkeypatch.setenv("ECGMON_STATE", str(tmp_path / "state"))
    cards = {
        "bob": {"unit": "window", "labels": "assumed normal"},
        "cid": {},
        "eve": {"unit": "window"},
    }
    for wearer, changes in cards.items():
        path = rewritten(tmp_path / f"{wearer}.onnx", wearer=wearer, **changes)
        stored().activate(wearer, stored().add(wearer, path))
    stored().rollback("eve")
    shown = " ".join(models("list").split())
    assert "To be enrolled again, by ecgmon enroll --patient ID --again: ann, bob. Their" in shown
    output = json.loads(models("list", "--json", "-"))
    assert [name for name in output if output[name]["enrol_again"]] == ["ann/1", "bob/1"]
    for wearer in ("ann", "bob"):
        stored().rollback(wearer)
    assert "enrolled again" not in models("list")


def test_a_narrow_terminal_loses_nothing():
    narrow, wide = models("show", COLUMNS="60"), models("show", COLUMNS="200")
    assert max(map(len, narrow.splitlines())) <= 60
    assert "".join(narrow.split()) == "".join(wide.split())
    assert "\N{HORIZONTAL ELLIPSIS}" not in narrow


def test_colour_is_left_out_where_it_is_not_wanted():
    colour = re.compile(r"\x1b\[[0-9;]*3\d")
    assert colour.search(models("show", FORCE_COLOR="1"))
    assert not colour.search(models("show", FORCE_COLOR="1", NO_COLOR="1"))
    assert "\x1b" not in models("show")


def test_what_a_card_says_neither_styles_nor_steers_the_terminal(tmp_path):
    shown = models("show", rewritten(tmp_path / "m.onnx", name="[red]\x1b[2Jx", wearer="[/bold]\n"))
    assert "[red]?[2Jx\n" in shown
    assert "[/bold]?" in shown
    assert "\x1b" not in shown


@pytest.mark.thorough
def test_a_name_is_completed_and_a_card_shown_without_torch(env):
    words = {"_ECGMON_COMPLETE": "complete_bash", "COMP_WORDS": "ecgmon models show g"}
    assert ecgmon(env=env | words | {"COMP_CWORD": "3"}).out.split() == ["generic"]
    program = """
import sys
from ecgmon_cli import main
sys.argv = ["ecgmon", "models", "show", "203"]
try:
    main()
except SystemExit as end:
    assert not end.code
assert "onnxruntime" in sys.modules
assert not {"torch", "onnx", "zmq", "wfdb", "trainer"} & set(sys.modules)
"""
    outcome = python(program, env=env)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("203-")
