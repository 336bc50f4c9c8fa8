"""Each error of input is reported in one sentence, with its own exit code."""

import re
import shutil

import pytest

from ecgmon.models.resolve import resolve
from tests.support.subprocesses import ecgmon_each, environment

pytestmark = pytest.mark.thorough

FETCH = "is not on this machine and cannot be fetched from PhysioNet"
NO_RECORD = "give a path to its .hea file, database/name such as nstdb/em, or a bare MIT-BIH name"
SIMULATE = ("--simulate", "normal")
REPLAY = {
    "an unknown record": (["nosuch"], FETCH),
    "an unknown database": (["nosuch/em"], FETCH),
    "a path where nothing is": (["./nowhere/203"], NO_RECORD),
    "a path out of the cache": (["../../etc/passwd"], NO_RECORD),
    "a name that a shell would run": (["203;reboot"], NO_RECORD),
    "a name that looks like markup": (["[/bold]"], r"There is no record \[/bold\]: "),
    "an endless name": (["x" * 5000], ""),
    "an empty name": ([""], NO_RECORD),
    "a truncated signal": (["{records}/short"], "truncated"),
    "a missing signal": (["{records}/headless"], r"headless\.dat: No such file"),
    "a header that is none": (["{records}/garbage"], "The header of .* cannot be read"),
    "a lead that is not there": (["{records}/beats", "--lead", "V9"], "no lead V9: choose one of"),
    "an annotator that is not there": (
        ["{records}/beats", "--annotator", "ecg"],
        r"has no annotations beats\.ecg: choose atr",
    ),
    "a path for an annotator": (["{records}/beats", "--annotator", "../x"], "is no annotator"),
    "a rate that is none": (
        ["{records}/other", "--rate", "99"],
        "cannot be sent at 99 Hz: give a --rate from 100 to 1000",
    ),
    "two records without a monitor": (["{records}/beats", "203"], "start ecgmon serve, and give"),
    "many wearers without a monitor": ([*SIMULATE, "--wearers", "2"], "start ecgmon serve, and"),
    "a wearer twice": (
        ["{records}/beats", "{records}/beats", "--connect", "tcp://127.0.0.1:9"],
        "beats would be sent twice, and a monitor accepts one device for each wearer",
    ),
    "many of one record": (["203", "--wearers", "2"], "--wearers and --loop are for simulated"),
    "a record without end": (["203", "--loop"], "--wearers and --loop are for simulated"),
    "one of all scenarios": (["--simulate", "mixed"], "There is no scenario 'mixed'"),
    "neither record nor simulation": ([], "Give either a record, such as 203, or --simulate"),
    "both record and simulation": (["203", *SIMULATE], "Give either a record"),
    "an unknown scenario": (["--simulate", "asistole"], "did you mean 'asystole'"),
    "no speed": ([*SIMULATE, "--speed", "0"], "--speed 0 is not a speed"),
    "a negative speed": ([*SIMULATE, "--speed", "-1"], "--speed -1 is not a speed"),
    "a word for a speed": ([*SIMULATE, "--speed", "fast"], "--speed fast is not a speed"),
    "no number for a speed": ([*SIMULATE, "--speed", "nan"], "--speed nan is not a speed"),
    "more seconds than there are": (
        [*SIMULATE, "--abnormal", "5/3"],
        "abnormal 5/3 is no K/N with K from 1 to N",
    ),
    "no seconds": ([*SIMULATE, "--abnormal", "0/3"], "abnormal 0/3 is no K/N"),
    "no rule": ([*SIMULATE, "--abnormal", "often"], "abnormal often is no K/N"),
    "a start beyond the end": (["{records}/beats", "--from", "40"], "lasts 30 s"),
    "no duration": (["{records}/beats", "--duration", "0"], "Nothing to play"),
    "a negative duration": (["{records}/beats", "--duration", "-5"], "Nothing to play"),
    "no number for a duration": (["{records}/beats", "--duration", "nan"], "--duration nan"),
    "an endless duration": (["{records}/beats", "--duration", "inf"], "--duration inf"),
    "a simulation for too long": ([*SIMULATE, "--duration", "9999"], "from 1 to 3600 seconds"),
    "an endpoint that is none": ([*SIMULATE, "--connect", "nonsense"], "nonsense is no endpoint"),
    "another monitor's model": (
        [*SIMULATE, "--connect", "tcp://127.0.0.1:9", "--model", "generic"],
        "give them to ecgmon serve",
    ),
    "another monitor's journal": (
        [*SIMULATE, "--connect", "tcp://127.0.0.1:9", "--journal", "{records}/new.db"],
        "give them to ecgmon serve",
    ),
    "a model that is no bundle": ([*SIMULATE, "--model", "{records}/beats.dat"], r"beats\.dat"),
    "a model that is a folder": ([*SIMULATE, "--model", "{records}"], "There is no model"),
    "an unknown model": ([*SIMULATE, "--model", "nosuch"], "There is no model nosuch: give a"),
    "figures into a folder": ([*SIMULATE, "--json", "{records}"], "cannot be written: Is a dir"),
    "figures to nowhere": ([*SIMULATE, "--json", "{records}/no/f"], "cannot be written: No such"),
    "a journal to nowhere": ([*SIMULATE, "--journal", "{records}/no/j"], "cannot be opened"),
    "a journal that is none": (
        [*SIMULATE, "--journal", "{records}/beats.dat"],
        r"The journal .*beats\.dat cannot be opened: file is not a database",
    ),
}
SERVE = {
    "a daemon's model that is no bundle": (["--model", "{records}/beats.dat"], r"beats\.dat"),
    "a daemon's unknown model": (["--model", "nosuch"], "There is no model nosuch"),
    "a daemon's journal to nowhere": (
        ["--journal", "{records}/no/j"],
        "no folder .* for the journal",
    ),
    "a daemon's endpoint that is none": (
        ["--publish", "nonsense"],
        r"--publish: network\.publish cannot",
    ),
    "a daemon's rule that is none": (["--abnormal", "5/3"], "abnormal 5/3 is no K/N with K"),
    "a daemon's configuration that is none": (
        ["--config", "{records}/beats.dat"],
        r"beats\.dat is not TOML",
    ),
}
TRAIN = {
    "a network for a patient": (["--patient", "203", "--network", "cardiacnet"], "leave --network"),
    "a generic model for nobody": (["--generic", "{records}/x"], "give --patient RECORD too"),
    "an unknown recipe": (
        ["--recipe", "nosuch"],
        "There is no recipe nosuch: choose one of context, focal, pictures, representation",
    ),
    "a recipe with another's network": (
        ["--recipe", "focal", "--network", "beatnet"],
        "has its own network: leave --network",
    ),
    "a split of people for windows": (["--split", "fold-0"], "give it with --network beats"),
    "records for the network of beats": (
        ["--network", "beats", "--training", "100"],
        "are for --recipe: name one",
    ),
    "beats without some people": (
        ["--network", "beats", "--keep-going"],
        "learns from everybody of its split: leave --keep-going out",
    ),
    "a split without a recipe": (["--training", "100"], "are for --recipe: name one"),
    "a side of a split with nobody": (["--recipe", "focal", "--training", " "], "needs a record"),
    "a wearer on two sides": (
        ["--recipe", "focal", "--training", "100,203", "--evaluation", "203"],
        "203 would be on two sides of the split: name each wearer on one side",
    ),
    "one person on two sides": (
        ["--recipe", "focal", "--training", "201", "--evaluation", "202"],
        "201 and 202, one person, would be on two sides",
    ),
    "a wearer on two sides by a header's name": (
        ["--recipe", "focal", "--training", "100", "--evaluation", "mitdb/100.hea"],
        "100 would be on two sides of the split",
    ),
    "a wearer on two sides through another database": (
        ["--recipe", "focal", "--training", "118", "--evaluation", "nstdb/118e06"],
        "118 and 118e06, one person, would be on two sides",
    ),
    "a record twice": (
        ["--recipe", "focal", "--training", "101,mitdb/101"],
        "101 is named twice on one side of the split: name it once",
    ),
    "a folder for a bundle": (["--recipe", "focal", "-o", "{records}"], "is a folder: name a file"),
    "a bundle where none can be": (
        ["--recipe", "focal", "-o", "/proc/nowhere/x.onnx"],
        "Nothing can be written in the folder /proc/nowhere",
    ),
    "live windows": (["--recipe", "pictures", "--live"], "judges windows, not beats: leave --live"),
    "a generic model that is none": (
        ["--patient", "203", "--generic", "{records}/beats.dat"],
        r"beats\.dat",
    ),
}
ENROLL = {
    "enrolment of a path": (["--patient", "../x", "--record", "{records}/beats"], "a wearer's id"),
    "enrolment on nothing": (["--patient", "ann", "--record", "{records}/no"], "no record"),
    "enrolment on half a minute of 500 Hz": (
        ["--patient", "ann", "--record", "{records}/other"],
        "other is too short: it has 21 whole seconds",
    ),
    "enrolment on half a minute": (
        ["--patient", "ann", "--record", "{records}/beats"],
        "beats is too short: it has 30 whole seconds, and enrolment takes at least 181",
    ),
    "enrolment again of nobody": (
        ["--patient", "ann", "--again"],
        "No model of ann's own is in service to be made again: enrol with --record",
    ),
    "enrolment again on another record": (
        ["--patient", "ann", "--again", "--record", "{records}/beats"],
        "--record, --captured, --live or --again, one only",
    ),
    "enrolment again with other labels": (
        ["--patient", "ann", "--again", "--assume-normal"],
        "--again takes the labels that were kept: leave --review, --assume-normal and --afresh out",
    ),
    "enrolment again of beats": (
        ["--patient", "ann", "--again", "--beats"],
        "What a model of beats was made from is not kept with it: give --beats with --record",
    ),
    "enrolment from what is no model": (
        ["--patient", "ann", "--record", "{records}/beats", "--generic", "{records}/beats.dat"],
        r"beats\.dat",
    ),
}
EVALUATE = {
    "one network for the study": (
        ["--protocol", "study", "--network", "beatnet"],
        "uses both networks: leave --network out",
    ),
    "a storage where nothing is searched": (
        ["--protocol", "new-wearer", "--storage", "sqlite:///x.db"],
        "--storage is for --protocol study",
    ),
    "studies of an unknown recipe": (
        ["--protocol", "studies", "--recipe", "nosuch"],
        "There is no recipe nosuch",
    ),
    "an unknown split": (
        ["--protocol", "studies", "--recipe", "focal", "--split", "ptb"],
        "focal has no split ptb: choose one of random, inter-patient, patient-specific",
    ),
    "a split that nobody has": (
        ["--protocol", "studies", "--split", "odd"],
        "There is no split odd: choose one of random, inter-patient, ",
    ),
    "results where none can be": (
        ["--protocol", "studies", "--split", "ptb", "--out", "/proc/nowhere"],
        "Nothing can be written in the folder /proc/nowhere",
    ),
    "a recipe for annotation files": (
        ["--protocol", "ec57", "--annotations", "{records}", "--recipe", "focal"],
        "--recipe and --split are for --protocol studies",
    ),
    "a recipe for another protocol": (
        ["--protocol", "new-wearer", "--recipe", "focal"],
        "--recipe and --split are for --protocol studies",
    ),
    "a network for the studies": (
        ["--protocol", "studies", "--network", "beatnet"],
        "has its own networks: leave --network and --storage out",
    ),
    "a storage that is none": (
        ["--protocol", "study", "--storage", "nonsense"],
        "cannot be opened: give a URL that Optuna knows",
    ),
}
MODELS = {
    "the card of an unknown model": (["show", "nosuch"], "There is no model nosuch: give a bundle"),
    "the card of what is no bundle": (["show", "{records}/beats.dat"], "has no model card"),
    "the card of a damaged bundle": (["show", "{records}/damaged.onnx"], "checksum does not match"),
    "a card into a folder": (["show", "--json", "{records}"], "cannot be written: Is a dir"),
    "cards to nowhere": (["list", "--json", "{records}/no/f"], "cannot be written: No such"),
}
PRELOADED = ["trainer.enrolment.service", "trainer.enrolment.gate"]
ANYWHERE = ("--ingest", "tcp://127.0.0.1:*", "--publish", "tcp://127.0.0.1:*")
CASES = {
    **{name: (["replay", "--speed", "max", *args], text) for name, (args, text) in REPLAY.items()},
    **{name: (["serve", *ANYWHERE, *args], text) for name, (args, text) in SERVE.items()},
    **{name: (["train", *args], text) for name, (args, text) in TRAIN.items()},
    **{name: (["enroll", *args], text) for name, (args, text) in ENROLL.items()},
    **{name: (["evaluate", *args], text) for name, (args, text) in EVALUATE.items()},
    **{name: (["models", *args], text) for name, (args, text) in MODELS.items()},
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, records):
    """Try everything."""
    folder = tmp_path_factory.mktemp("bad") / "records"
    shutil.copytree(records, folder)
    for name in ("short", "headless", "garbage"):
        header = (folder / "beats.hea").read_text().replace("beats", name)
        (folder / f"{name}.hea").write_text("garbage" if name == "garbage" else header)
    (folder / "short.dat").write_bytes((folder / "beats.dat").read_bytes()[:9000])
    intact = resolve("generic", None).read_bytes()
    (folder / "damaged.onnx").write_bytes(bytes([intact[0] ^ 1]) + intact[1:])
    env = environment(folder.parent / "home", XDG_STATE_HOME=folder.parent / "state")

    before = {path: path.read_bytes() for path in folder.iterdir()}
    commands = [[a.replace("{records}", str(folder)) for a in args] for args, _ in CASES.values()]
    output = tmp_path_factory.mktemp("output")
    outcomes = dict(
        zip(
            CASES,
            ecgmon_each(
                commands, output, env, ["trainer.enrolment.service", "trainer.enrolment.gate"]
            ),
            strict=True,
        )
    )
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    return outcomes


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_in_one_sentence(outcomes, case):
    outcome = outcomes[case]
    by_the_monitor = case == "another sampling rate"
    assert (outcome.code, outcome.out) == (1 if by_the_monitor else 2, "")
    *logged, line = outcome.err.splitlines()
    assert len(logged) == by_the_monitor
    assert line.startswith("Error: ")
    assert line.endswith((".", ")"))
    assert re.search(CASES[case][1], line)


def test_what_the_library_that_reads_options_refuses_has_no_traceback_either(env, tmp_path):
    cases = [["--from", "-1"], ["--burst", "nan"], ["--seed", "x"], ["--clear-after", "0"]]
    commands = [["replay", *SIMULATE, *args] for args in cases]
    cases.append(["--seed", "9" * 30])  # more than torch takes
    commands.append(["train", "--recipe", "focal", *cases[-1]])
    for args, outcome in zip(cases, ecgmon_each(commands, tmp_path, env), strict=True):
        assert (outcome.code, outcome.out) == (2, "")
        assert args[0] in outcome.err
        assert "Traceback" not in outcome.err
