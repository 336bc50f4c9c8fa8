"""The page: existing results, and missing ones."""

import json
import shutil
from pathlib import Path

import pytest

from trainer.evaluation.studies import page
from trainer.evaluation.studies.study_jobs import JOBS

RESULTS = Path(__file__).parents[4] / "docs/results"
CLASSES = ["N", "S", "V", "F", "Q"]
COUNTS = [[90, 4, 3, 2, 1], [2, 16, 2, 0, 0], [1, 0, 19, 0, 0], [2, 0, 1, 17, 0], [0, 0, 0, 0, 20]]


def judged(system, kind="trained", counts=COUNTS, classes=CLASSES, wearers=("100", "203")):
    """One system, judged on some wearers alike."""
    return {
        "system": system,
        "kind": kind,
        "classes": classes,
        "per_wearer": dict.fromkeys(wearers, counts),
    }


def write(out, name, result, digest="x", seed=1):
    (out / "studies").mkdir(parents=True, exist_ok=True)
    text = json.dumps({"seed": seed, "digest": digest, "processor_s": 1800, "result": result})
    (out / "studies" / f"{name}.json").write_text(text)


@pytest.fixture
def text(tmp_path):
    """A page of some results."""
    write(tmp_path, "focal-random-published", [judged("published"), judged("tuned")])
    write(tmp_path, "focal-inter-patient-published", [judged("tuned")])
    own = [judged("tuned"), judged("tuned", "adapted")]
    write(tmp_path, "focal-patient-specific-published", own)
    windows = [
        judged("generic", kind, [[40, 10], [5, 45]], ["normal", "abnormal"])
        for kind in ("trained", "adapted", "individual", "fine-tuned")
    ]
    write(tmp_path, "pictures-random-windows", windows[:3])
    write(tmp_path, "pictures-fine-tuned", windows[3:])
    figures = {
        "QRS": {"sensitivity": 0.99, "ppv": 0.98},
        "V": {"sensitivity": 0.9, "ppv": 0.8, "f1": 0.85},
        "S": {"sensitivity": 0.5, "ppv": None, "f1": 0.4},
    }
    write(tmp_path, "context-ec57", {"strangers": figures, "fitted": figures})
    ptb = [judged("mlp", counts=[[8, 2], [1, 9]], classes=["healthy", "infarction"])]
    write(tmp_path, "representation-ptb-ptb", ptb)
    trial = {"optimiser": "rmsprop", "learning_rate": 3e-4, "weight_decay": 2e-4, "batch": 87}
    search = [trial | {"scores": [0.7, 0.9], "stopped": False}]
    write(tmp_path, "transfer-search", [*search, trial | {"scores": [0.5], "stopped": True}])
    write(tmp_path, "transfer-explanation", ["activations.png", "t-sne.png"])
    page.write(tmp_path, {})
    return (tmp_path / "studies.md").read_text()


def rows(text, *starts):
    return [line for line in text.splitlines() if all(part in line for part in starts)]


def test_the_three_protocols_of_a_system_are_side_by_side(text):
    (row,) = rows(text, "| 5, tuned |")
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    # 162 of 180 right; recalls .9 .8 .95 .85 1; V: 19 of 20 found, 25 called; S: 16 of 20, 20.
    both = ["0.9000 / 0.900", "0.844 / 0.800"]
    assert cells[1:] == ["- / -", both[0], *both, *both]


def test_the_publications_figures_are_beside_ours_by_class(text):
    (row,) = rows(text, "| published, S |")
    published, own, equal = (cell.strip() for cell in row.strip("|").split("|")[1:])
    assert published == "0.930 / 0.930 / 0.930"
    assert own == "0.800 / 0.800 / 0.800"
    # Shares: S called so .8; of others .04 of N.
    assert equal == f"{0.8 / 0.84:.3f} / 0.800 / {1.6 / 1.84:.3f}"


def test_windows_infarction_search_and_pictures_have_their_places(text):
    assert rows(text, "| random | generic |", "0.8500")
    assert rows(text, "ec57/context-fitted/README.md", "| 99.00 | 98.00 | 90.00 |", "| 50.00 | - |")
    assert rows(text, "| mlp | 0.9168 |", "0.8500 / 0.850")
    first, second = rows(text, "| rmsprop |")
    assert "0.9000" in first
    assert "0.5000 (stopped)" in second
    assert "(studies/t-sne.png)" in text


def test_published_figures_are_targets_met_or_missed(text):
    """Of the same split alone; F1 at equal classes, rounded as the publication does."""
    verdicts = [row for row in rows(text, "| **m") if "accuracy, 2 wearers |" in row]
    assert verdicts == [
        "| individual | mean balanced accuracy, 2 wearers | 0.946 | 0.8500 | **missed** |",
        "| fine-tuned | mean balanced accuracy, 2 wearers | 0.935 | 0.8500 | **missed** |",
    ]
    f1 = 1.6 / 1.84
    assert rows(text, f"| tuned | F1 of S, at equal classes | 0.93 | {f1:.4f} | **missed** |")
    assert len(rows(text, "| tuned |", "| **m")) == 6
    assert not rows(text, "| mlp |", "| **m")  # the stored results are those by patients


@pytest.mark.parametrize(("n", "verdict"), [(3489, "missed"), (3490, "met")])
def test_a_target_is_met_where_ours_rounds_to_it(tmp_path, n, verdict):
    """Study 4's *lstm* has .8725 published: of 4000 beats 3490 are needed."""
    ours = judged("lstm", counts=[[n, 4000 - n], [0, 0]], classes=["N", "V"], wearers=("100",))
    write(tmp_path, "representation-random-published", [ours])
    page.write(tmp_path, {})
    (row,) = rows((tmp_path / "studies.md").read_text(), "| lstm | accuracy |")
    assert row == f"| lstm | accuracy | 0.8725 | {n / 4000:.4f} | **{verdict}** |"


def test_what_is_not_computed_is_named_and_what_is_has_its_cost(text):
    assert "4.5 hours of one core's time, from seed 1;" in text
    assert "Not computed yet: transfer-random-published, representation-random-published" in text
    missing = text.partition("Not computed yet")[2].partition("Without")[0]
    assert "focal-random-published," not in missing


def test_what_other_code_or_another_seed_made_is_named(tmp_path):
    names = "focal-random-published", "focal-inter-patient-published"
    now = dict.fromkeys(names, "abc")
    write(tmp_path, names[0], [judged("tuned")], digest="abc")
    page.write(tmp_path, now)
    assert "other code" not in (tmp_path / "studies.md").read_text()
    write(tmp_path, names[1], [judged("tuned")], seed=2)
    page.write(tmp_path, now)
    text = (tmp_path / "studies.md").read_text()
    assert "Computed by other code than today's: focal-inter-patient-published." in text
    assert "it is not known" not in text
    assert "from seed 1, 2;" in text


def test_a_result_whose_records_are_not_there_is_not_called_stale(tmp_path):
    ptb = judged("mlp", counts=[[8, 2], [1, 9]], classes=["healthy", "infarction"])
    write(tmp_path, "representation-ptb-ptb", [ptb])
    page.write(tmp_path, {})
    text = (tmp_path / "studies.md").read_text()
    assert "today's code makes the same: representation-ptb-ptb." in text
    assert "other code" not in text


def test_a_result_that_cannot_be_read_is_none(tmp_path):
    write(tmp_path, "focal-random-published", [judged("tuned")])
    stored_result = (tmp_path / "studies" / "focal-random-published.json").read_text()
    for text in (stored_result[:-20], "[]", "{}", "\xff"):
        (tmp_path / "studies" / "focal-random-published.json").write_text(text, "latin-1")
        page.write(tmp_path, {})
        assert "| 5, tuned |" not in (tmp_path / "studies.md").read_text()


@pytest.mark.parametrize("patients", [(18, 11), (52, 148)])
def test_only_the_part_of_ptb_that_is_described_is_called_small(tmp_path, patients):
    ptb = judged("mlp", counts=[[8, 2], [0, 0]], classes=["healthy", "infarction"], wearers=())
    healthy, ill = patients
    ptb["per_wearer"] = {f"h{n}": [[8, 2], [0, 0]] for n in range(healthy)}
    ptb["per_wearer"] |= {f"i{n}": [[0, 0], [1, 9]] for n in range(ill)}
    write(tmp_path, "representation-ptb-ptb", [ptb])
    page.write(tmp_path, {})
    text = (tmp_path / "studies.md").read_text()
    assert ("a small part of PTB" in text) == (patients == (18, 11))
    assert ("52 healthy patients and 148 with an\ninfarction" in text) == (patients != (18, 11))


@pytest.mark.thorough
def test_the_page_is_made_of_the_results_beside_it(tmp_path):
    """All of it but the cost, which depends on the code of the day."""
    shutil.copytree(RESULTS / "studies", tmp_path / "studies")
    page.write(tmp_path, {})
    made, stored = (
        (folder / "studies.md").read_text().partition("## Cost") for folder in (tmp_path, RESULTS)
    )
    assert made[0] == stored[0]
    assert made[1] == stored[1]


def test_jobs_have_names_of_their_own():
    assert len({job.name for job in JOBS}) == len(JOBS)
