"""Annotation files of any program, compared by the command."""

import json

import pytest

from ecgmon.records.read import read
from ecgmon.records.record import Found
from ecgmon.signal import detect_beats
from tests.support.subprocesses import ecgmon, environment, python
from trainer.evaluation.ec57.files import write_annotations
from trainer.evaluation.qrs import evaluate

EC57 = ("evaluate", "--protocol", "ec57")
TRUTH = [(108_000 + 300 * n, "NNVS"[n % 4]) for n in range(40)]
TESTED = [(sample + 20, "N" if label == "S" else label) for sample, label in TRUTH[1:]]
REFUSED = {
    "no folder named": ((), "compares annotation files: name their folder with --annotations"),
    "no such folder": (("--annotations", "{here}/no"), "cannot be read (No such file"),
    "no folder": (("--annotations", "{here}/good/100.qrs"), "cannot be read (Not a directory"),
    "nothing there": (("--annotations", "{here}"), "no annotation file of any of the 44 records"),
    "nothing of that name": (
        ("--annotations", "{here}/good", "--annotator", "ann"),
        "such as 100.ann",
    ),
    "two annotators": (("--annotations", "{here}/two"), "(.ann, .qrs): choose one"),
    "a damaged file": (
        ("--annotations", "{here}/damaged"),
        "100.qrs cannot be read (it has no end): write it again, or take it away",
    ),
    "a folder for a file": (
        ("--annotations", "{here}/good", "--out", "{here}/two/100.qrs"),
        "is a file, not a folder: name another",
    ),
    "a record that is not here": (("--annotations", "{here}/far"), "record mitdb/234 is not on"),
    "no reference": (("--annotations", "{here}/bare"), "103.atr cannot be read (No such file"),
    "a network": (
        ("--annotations", "{here}/good", "--network", "beatnet"),
        "trains nothing: leave --network and --storage out",
    ),
    "another protocol": (
        ("--protocol", "new-wearer", "--annotations", "{here}/good"),
        "--annotations and --annotator are for --protocol ec57",
    ),
}
EACH = """
import json, sys
from ecgmon_cli import main
for args in json.loads(sys.argv[1]):
    sys.argv = ["ecgmon", *args]
    try:
        main()
    except SystemExit as end:
        print(end.code)
"""
LOADED = """
import sys
from ecgmon_cli import main
sys.argv = ["ecgmon", *sys.argv[1:]]
try:
    main()
finally:
    print(*({"torch", "onnx", "matplotlib"} & set(sys.modules)), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Records in ``data``, and folders with annotations for them."""
    here = tmp_path_factory.mktemp("ec57")
    folders = {"good": ("100.qrs", "207.qrs"), "two": ("100.qrs", "207.ann")}
    folders |= {"damaged": ("100.qrs",), "far": ("234.qrs",), "bare": ("103.qrs",)}
    for name, files in folders.items():
        (here / name).mkdir()
        for file in files:
            write_annotations(here / name / file, TESTED)
    damaged = here / "damaged" / "100.qrs"
    damaged.write_bytes(damaged.read_bytes()[:-2])
    data = here / "data" / "mitdb"
    data.mkdir(parents=True)
    for name in ("100", "103", "207"):
        header = f"{name} 1 360 650000\n{name}.dat 16 200 16 0 0 0 0 MLII\n"
        (data / f"{name}.hea").write_text(header)
        if name != "103":
            write_annotations(data / f"{name}.atr", TRUTH)
    return here


@pytest.fixture(scope="module")
def refusals(here):
    """Return the output of each command, all run in one process."""
    env = environment(here / "home", ECGMON_DATA=here / "data")
    commands = [
        [*EC57, "--out", str(here / "out"), *(arg.replace("{here}", str(here)) for arg in args)]
        for args, _ in REFUSED.values()
    ]
    outcome = python(EACH, json.dumps(commands), env=env)
    assert outcome.out.split() == ["2"] * len(commands)
    return dict(zip(REFUSED, outcome.err.splitlines(), strict=True))


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_use_is_refused_in_one_sentence(refusals, case, here):
    line = refusals[case]
    assert line.startswith("Error: ")
    assert line.endswith(".")
    assert REFUSED[case][1] in line
    assert not (here / "out").exists()


def test_existing_annotations_are_scored_and_missing_ones_named_without_torch(here, tmp_path):
    args = (*EC57, "--annotations", here / "good", "--data", here / "data", "-o", tmp_path)
    outcome = python(LOADED, *args, env=environment(tmp_path / "home"))
    assert (outcome.code, outcome.err.strip()) == (0, "")
    assert outcome.out.startswith(f"{tmp_path}/ec57/good-qrs/README.md written\n")
    rows = [line.replace("│", " ").split() for line in outcome.out.splitlines()]
    assert ["QRS", "80", "97.50", "100.00"] in rows
    assert ["V", "20", "100.00", "100.00", "0.000", "100.00"] in rows
    assert ["S", "20", "0.00", "-", "0.000", "0.00"] in rows
    assert "2 of the 44 records; no file for 101, 103, 105" in outcome.out
    folder = tmp_path / "ec57" / "good-qrs"
    assert "--annotator qrs" in (folder / "README.md").read_text()
    result = json.loads((folder / "result.json").read_text())
    assert (result["records"], len(result["missing"])) == (2, 42)
    assert result["gross"]["matrix"]["S"] == dict.fromkeys("svfqox", 0) | {"n": 20}
    assert result["gross"]["matrix"]["N"] == dict.fromkeys("svfqx", 0) | {"n": 38, "o": 2}
    assert result["per_record"]["207"]["V"]["f1"] == 1
    page = (folder / "README.md").read_text()
    assert "| 207 | 40 | 10 | 10 | 97.50 | 100.00 | 100.00 | 100.00 | 100.00 |" in page
    assert "| **S** | 20 | 0 | 0 | 0 | 0 | 0 | 0 |" in page
    assert "Not scored, for want of a file: 101, " in page


def test_the_old_name_of_annotator_is_accepted_and_the_new_one_is_reported(here, tmp_path):
    args = (*EC57, "--annotations", here / "two", "--data", here / "data", "-o", tmp_path)
    outcome = python(LOADED, *args, "--extension", "ann", env=environment(tmp_path / "home"))
    assert (outcome.code, outcome.err.strip()) == (0, "--extension is now called --annotator.")
    assert (tmp_path / "ec57" / "two-ann" / "README.md").is_file()


@pytest.mark.thorough
def test_our_detector_s_beats_have_the_figures_of_its_own_page(mitdb, mitdb_env, tmp_path):
    (tmp_path / "beats").mkdir()
    records = {name: read(Found(name, name, mitdb / name)) for name in ("108", "207", "228")}
    for name, record in records.items():
        beats = [(int(beat), "N") for beat in detect_beats(record.millivolts())]
        write_annotations(tmp_path / "beats" / f"{name}.ours", beats)
    outcome = ecgmon(*EC57, "--annotations", tmp_path / "beats", "-o", tmp_path, env=mitdb_env)
    assert (outcome.code, outcome.err) == (0, "")
    result = json.loads((tmp_path / "ec57" / "beats-ours" / "result.json").read_text())
    for name, record in records.items():
        counts, output = evaluate(record), result["per_record"][name]
        assert output["beats"]["all"] == counts.beats
        assert output["QRS"]["sensitivity"] == pytest.approx(counts.sensitivity)
        assert output["QRS"]["ppv"] == pytest.approx(counts.ppv)
        assert sum(output["matrix"]["O"].values()) == counts.false
