"""Errors of a call are reported before torch is loaded, which takes seconds."""

import json
import shutil

import pytest

from ecgmon_cli.recipe import known
from ecgmon_cli.studies import SPLITS
from ecgmon_cli.train import NetworkName
from tests.support.subprocesses import environment, python

pytestmark = pytest.mark.thorough

ENROLL = ("enroll", "--patient", "ann", "--record")
REFUSED = {
    "an option that contradicts another": ("train", "--patient", "203", "--network", "beatnet"),
    "an unknown recipe": ("train", "--recipe", "nosuch"),
    "live windows": ("train", "--recipe", "pictures", "--live"),
    "a wearer on two sides": ("train", "--recipe", "focal", "--training", "100,203"),
    "a record that is not there": ("train", "--patient", "./nosuch"),
    "a record without annotations": ("train", "--patient", "plain"),
    "a record that is too short": ("train", "--patient", "beats"),
    "records of a recipe": (
        *("train", "--recipe", "focal", "--training", "plain", "--validation", "./nosuch"),
        *("--evaluation", "beats"),
    ),
    "a bundle that is none": ("train", "--patient", "beats", "--generic", "beats.dat"),
    "a bundle into a folder": ("train", "-o", "."),
    "a bundle where nothing can be written": ("train", "-o", "/proc/x.onnx"),
    "a bundle below a file": ("train", "-o", "beats.dat/x.onnx"),
    "a recipe's bundle below a file": ("train", "--recipe", "focal", "-o", "beats.dat/x.onnx"),
    "nothing to enrol from": ("enroll", "--patient", "ann"),
    "nobody to enrol again": ("enroll", "--patient", "ann", "--again"),
    "an enrolment on a record that is not there": (*ENROLL, "./nosuch"),
    "an enrolment on half a minute": (*ENROLL, "beats"),
    "an enrolment from no bundle": (*ENROLL, "beats", "--generic", "beats.dat"),
    "an enrolment of beats assumed normal": (*ENROLL, "beats", "--beats", "--assume-normal"),
    "an enrolment of beats on half a minute": (*ENROLL, "beats", "--beats"),
    "an enrolment's figures into a folder": (*ENROLL, "beats", "--json", "."),
    "a network for the study": ("evaluate", "--protocol", "study", "--network", "beatnet"),
    "a storage of no study": ("evaluate", "--protocol", "new-wearer", "--storage", "x"),
    "a storage that is none": ("evaluate", "--protocol", "study", "--storage", "nonsense"),
    "results below a file": ("evaluate", "--protocol", "new-wearer", "-o", "beats.dat/x"),
    "results of studies below a file": ("evaluate", "--protocol", "studies", "-o", "beats.dat/x"),
    "models below a file": ("evaluate", "--protocol", "study", "--work", "beats.dat/x"),
    "an unknown split": ("evaluate", "--protocol", "studies", "--split", "odd"),
    "some records of a fixed set": ("evaluate", "--protocol", "study", "--keep-going"),
}
RUN = """
import contextlib, io, json, os, sys
from ecgmon_cli import main
import trainer.enrolment.service, ecgmon.records.many, trainer.data.annotated
import trainer.enrolment.own_beats.service
import trainer.studies.cardiacnet.claims

for args in json.loads(sys.argv[1]):
    sys.stdout.flush()
    read, write = os.pipe()
    if not os.fork():
        err, code = io.StringIO(), 0
        sys.argv = ["ecgmon", *args]
        try:
            with contextlib.redirect_stderr(err):
                main()
        except SystemExit as end:
            code = end.code
        except BaseException as error:
            code = repr(error)
        print(json.dumps([code, err.getvalue(), "torch" in sys.modules]), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, records):
    folder = tmp_path_factory.mktemp("early")
    shutil.copytree(records, folder / "records")
    env = environment(folder / "home", ECGMON_STATE=folder / "state")
    program = f"import os; os.chdir({str(folder / 'records')!r}){RUN}"
    before = sorted((folder / "records").iterdir())
    done = python(program, json.dumps(list(REFUSED.values())), env=env)
    assert sorted((folder / "records").iterdir()) == before  # nothing is left behind either
    return dict(zip(REFUSED, map(json.loads, done.out.splitlines()), strict=True))


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_before_torch_is_loaded(outcomes, case):
    code, err, loaded = outcomes[case]
    assert code == 2, err
    assert err.startswith("Error: ")
    assert not loaded


def test_all_bad_records_of_all_sides_are_named_at_once(outcomes):
    _, err, _ = outcomes["records of a recipe"]
    assert "2 of 3 records cannot be used:" in err
    assert "plain has no annotations to learn from" in err
    assert "There is no record ./nosuch" in err


def test_what_is_known_without_torch_is_true():
    from trainer import recipes
    from trainer.evaluation.studies.study_jobs import JOBS
    from trainer.networks import TRAINABLE
    from trainer.networks.window_networks import NETWORKS

    assert set(NETWORKS) == set(TRAINABLE) == {str(network) for network in NetworkName}
    assert {job.split for job in JOBS} == set(SPLITS)
    of_windows = [name for name in known() if recipes.recipe(name).data == "windows"]
    assert of_windows == list(recipes.OF_WINDOWS)
