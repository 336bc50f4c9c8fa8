"""Totals of beats: what a replay counts as it listens, an export counts from the journal."""

import json

import pytest

from tests.support.beat_bundles import export_random
from tests.support.subprocesses import ecgmon, ecgmon_each, environment

pytestmark = pytest.mark.thorough

WEARER = "simulated-premature"


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """A replay of a wearer who has a model of beats, and exports of its journal."""
    folder = tmp_path_factory.mktemp("totals")
    env = environment(folder / "home", ECGMON_STATE=folder / "state")
    bundle = export_random(folder / "beats.onnx", wearer=WEARER)
    assert ecgmon("models", "import", WEARER, bundle, env=env).code == 0
    journal = ("--journal", folder / "journal.db")
    outcome = ecgmon(
        *("replay", "--simulate", "premature", "--speed", "max", "--no-view", *journal),
        *("--json", folder / "replay.json", "--html", folder / "replay.html"),
        env=env,
    )
    assert (outcome.code, outcome.err) == (0, "")
    export = ("export", "--patient", WEARER, *journal)
    wanted = {
        "totals": (*export, "--format", "totals"),
        "json": (*export, "--format", "json"),
        "html": (*export, "--format", "html", "-o", folder / "export.html"),
        "later": (*export, "--format", "totals", "--from", "2999-01-01"),
    }
    outcomes = ecgmon_each(
        [[str(word) for word in words] for words in wanted.values()], folder, env
    )
    return folder, outcome.out, dict(zip(wanted, outcomes, strict=True))


def without_hours(totals):
    return {name: value for name, value in totals.items() if name != "hours"}


def test_replay_and_export_count_the_same(replayed):
    folder, _, outcomes = replayed
    live = json.loads((folder / "replay.json").read_text())["totals"]
    written = json.loads(outcomes["json"].out)["totals"]
    assert without_hours(live) == without_hours(written)
    assert live["beats"] > 50
    assert live["analysed_s"] > 30
    assert [hour["hour"] for hour in live["hours"]] == ["0:00"]
    assert sum(hour["beats"] for hour in written["hours"]) == live["beats"]


def test_both_print_them_and_write_the_page(replayed):
    folder, printed, outcomes = replayed
    assert "\nbeats " in printed
    rows = outcomes["totals"].out.splitlines()
    assert len(rows) > 30
    assert set(rows[:25]) <= set(printed.splitlines())
    for name in ("replay", "export"):
        page = (folder / f"{name}.html").read_text()
        assert f"<title>Beats of {WEARER}</title>" in page
    assert "all hours in UTC." in (folder / "export.html").read_text()


def test_totals_that_cannot_be_counted_are_reported_in_a_sentence(replayed, tmp_path):
    assert "Nothing is kept of simulated-premature in that time" in replayed[2]["later"].err
    env = environment(tmp_path / "home")
    nobody = ("replay", "--simulate", "normal", "--duration", 10, "--speed", "max", "--no-view")
    outcome = ecgmon(*nobody, "--html", tmp_path / "page.html", env=env)
    assert outcome.code == 2
    assert "No beat of simulated-normal was named, so --html has nothing to show" in outcome.err
    both = ecgmon(*nobody, "--html", "-", "--json", "-", env=env)
    assert both.err == "Error: --json and --html cannot both be stdout: name a file.\n"
