"""``ecgmon evaluate``: the protocols, from records to result files, tables and plots."""

import json
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ecgmon.core.errors import UsageError
from ecgmon.core.paths import require_writable
from ecgmon.terminal.progress import long_work
from ecgmon_cli.alarm_truths import alarm_truths
from ecgmon_cli.ec57 import ec57
from ecgmon_cli.options import Data, KeepGoing, Seed, require_torch, say_renamed
from ecgmon_cli.recipe import known
from ecgmon_cli.rhythm_episodes import rhythm_episodes
from ecgmon_cli.studies import studies
from ecgmon_cli.train import NetworkName
from ecgmon_cli.window_protocols import window_protocol


class Protocol(StrEnum):
    """Protocols to evaluate."""

    STUDY = "study"
    NEW_WEARER = "new-wearer"
    ENROLMENT = "enrolment"
    INTER_PATIENT = "inter-patient"
    EC57 = "ec57"
    ALARMS = "alarms"
    RHYTHM = "rhythm"
    STUDIES = "studies"


def evaluate(
    protocol: Annotated[Protocol, typer.Option(help="Protocol to run.")],
    network: Annotated[
        NetworkName | None,
        typer.Option(help="Network to evaluate; study uses both.", show_default="beatnet"),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the result files, tables and plots.")
    ] = Path("docs/results"),
    work: Annotated[
        Path, typer.Option(help="Folder for intermediate models; work found there is not repeated.")
    ] = Path("runs"),
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Optuna storage of the study's searches; machines with one storage share them.",
            show_default="SQLite in --work",
        ),
    ] = None,
    seed: Seed = 1,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="studies: only this recipe.",
            autocompletion=known,
            show_default="all",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="studies: only this split: random, inter-patient, patient-specific, ptb, "
            "ptb-random.",
            show_default="all",
        ),
    ] = None,
    annotations: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="ec57: folder of annotation files, such as 100.qrs."),
    ] = None,
    annotator: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="ec57: suffix of the annotation files.",
            show_default="the only one in the folder",
        ),
    ] = None,
    extension: Annotated[str | None, typer.Option(hidden=True)] = None,
    database: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="alarms, rhythm: folder of records, with alarms of known truth or rhythm "
            "annotations. new-wearer: whose people are judged, mitdb or svdb.",
        ),
    ] = None,
    data: Data = None,
    keep_going: KeepGoing = False,
) -> None:
    """Evaluate under a protocol and write its results.

    study: study 1 as published (29 patients, generic, individual with a grid search, fine-tuned),
    then the same splits with the project's own network.

    new-wearer: generic models that never saw the wearer, enrolment on the first five minutes,
    scores on the rest.

    enrolment: the same wearers, enrolled with annotations, by a simulated review of twenty beats,
    and without labels.

    inter-patient: one model from DS1, judged on DS2 without adaptation.

    ec57: any program's annotations of records of MIT-BIH, compared with the experts' beats as
    ANSI/AAMI EC57 and the WFDB software's bxb, rxr and mxm do. Results go to ec57/DIR-EXT in --out.

    alarms: records with an alarm at five minutes that experts called true or false, in the layout
    of the PhysioNet Challenge 2015, played to a monitor. Results go to alarms/NAME in --out.

    rhythm: records with rhythm annotations, such as vfdb, cudb and mitdb, played to a monitor:
    episodes of ventricular fibrillation and tachycardia, of atrial fibrillation with its burden,
    and of noted asystole, counted as epicmp does. Results go to rhythm/NAME.

    studies: studies 2 to 5, each recipe under the publications' random split, DS1 -> DS2 and
    patient-specific; transfer to infarction. Several processes share the work. Writes studies.md.

    Interrupted work continues where it stopped, unless something that decides the result has
    changed. Results of studies in --out stay, too: to compute them again, give --out and --work
    empty folders.

    Examples
    --------
      ecgmon evaluate --protocol new-wearer

      ecgmon evaluate --protocol new-wearer --database svdb

      ecgmon evaluate --protocol study --storage postgresql://host/ecgmon

      ecgmon evaluate --protocol studies --recipe focal --split random

      ecgmon evaluate --protocol ec57 --annotations beats --out runs

      ecgmon evaluate --protocol alarms --database challenge-2015/training --out runs

      ecgmon evaluate --protocol rhythm --database vfdb --out runs
    """
    if protocol != Protocol.STUDIES and (recipe is not None or split is not None):
        raise UsageError("--recipe and --split are for --protocol studies: leave them out.")
    if extension is not None:
        say_renamed("--extension", "--annotator")
        annotator = annotator or extension
    if database is not None and protocol not in (
        Protocol.ALARMS,
        Protocol.RHYTHM,
        Protocol.NEW_WEARER,
    ):
        raise UsageError(
            "--database is for --protocol alarms, rhythm and new-wearer: leave it out."
        )
    if protocol == Protocol.EC57:
        if network is not None or storage is not None:
            raise UsageError("--protocol ec57 trains nothing: leave --network and --storage out.")
        ec57(annotations, annotator, out / protocol, data, keep_going=keep_going)
        return
    if annotations is not None or annotator is not None:
        raise UsageError("--annotations and --annotator are for --protocol ec57: leave them out.")
    if protocol in (Protocol.ALARMS, Protocol.RHYTHM):
        if network is not None or storage is not None:
            raise UsageError(
                f"--protocol {protocol} trains nothing: leave --network and --storage out."
            )
        judge = alarm_truths if protocol == Protocol.ALARMS else rhythm_episodes
        judge(database, out / protocol, work, keep_going=keep_going)
        return
    if keep_going:
        raise UsageError(
            "--keep-going is for --protocol ec57, alarms and rhythm, for the others are made of "
            "fixed records: leave it out."
        )
    require_torch()
    if protocol == Protocol.STUDIES:
        if network is not None or storage is not None:
            raise UsageError(
                "--protocol studies has its own networks: leave --network and --storage out."
            )
        studies(recipe, split, out, work, seed, data)
        return
    if protocol == Protocol.STUDY and network is not None:
        raise UsageError("--protocol study uses both networks: leave --network out.")
    if protocol != Protocol.STUDY and storage is not None:
        raise UsageError("--storage is for --protocol study: leave it out.")
    for folder in (out, work):
        require_writable(folder)
    folder = out / protocol
    if protocol == Protocol.STUDY:
        result = _study(out / protocol, work, storage, seed, data)
    else:
        chosen = network or NetworkName.BEATNET
        folder, result = window_protocol(protocol, chosen, out, work, seed, data, database)
    Console().print(f"{folder}/README.md written", highlight=False, soft_wrap=True)
    Console().print(json.dumps(result, indent=1), highlight=False)


def _study(
    folder: Path, work: Path, storage: str | None, seed: int, data: Path | None
) -> dict[str, Any]:
    from trainer.studies.cardiacnet.claims import open_storage

    opened = open_storage(storage) if storage else None  # a wrong one leaves no folder behind
    from trainer.data import splits
    from trainer.data.dataset import load
    from trainer.evaluation import study, study_report
    from trainer.evaluation.results.digest import digest

    place = work / f"study-{seed}-{digest(study.decided_by(seed, data))}"
    place.mkdir(parents=True, exist_ok=True)
    opened = opened or open_storage(f"sqlite:///{place / 'searches.db'}")
    clock = place / "seconds"
    spent = float(clock.read_text()) if clock.is_file() else 0.0
    started = time.monotonic()
    tracks = {}
    with long_work() as bar:
        bar.console.print(f"Finished work is kept in {place}", highlight=False)
        tasks: dict[str, Any] = {}

        def stage(name: str, done: int, of: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=of, note="")
            bar.update(tasks[name], completed=done)
            new = clock.with_suffix(".new")
            new.write_text(f"{spent + time.monotonic() - started:.0f}")
            new.replace(clock)

        for kind in study.TRACKS:
            stage(f"{kind.name}: records", 0, len(splits.STUDY))
            done: list[str] = []

            def read(name: str, done: list[str] = done, own: str = kind.name) -> None:
                done.append(name)
                stage(f"{own}: records", len(done), len(splits.STUDY))

            sets = load(splits.STUDY, kind.network, data, read, lead="1")
            tracks[kind.name] = study.run(
                kind, {s.wearer: s for s in sets}, seed, place, opened, stage
            )
    symbols = study.beat_symbols(splits.STUDY, data)
    figures = study_report.write(tracks, folder, seed, float(clock.read_text()), symbols)
    return {
        track: {kind: {n: each[n] for n in ("mean", "worst")} for kind, each in kinds.items()}
        for track, kinds in figures["models"].items()
    }
