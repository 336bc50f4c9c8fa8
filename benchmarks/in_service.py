"""Enrolled wearers through the monitor, without and with a model of beats.

Run by ``make in-service`` after the protocols *new-wearer* (of mitdb and of svdb) and *enrolment*,
whose models lie in ``runs``, and ``make beats``, whose models of beats lie in ``runs/beat-models``.
Without a model of beats the monitor's verdicts must be those that the protocols count; with one,
they are what it publishes. docs/results/in-service.json holds what was counted; replays of models
in that file are not run again. The page is docs/results/in-service.md.
"""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from in_service_page import WAYS, page

from ecgmon.core.atomic import atomic_write
from ecgmon.core.constants import RATE, WINDOW
from ecgmon.core.labels import ABNORMAL, UNLABELLED
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.bundle import Model
from ecgmon.records import Record
from ecgmon.records.converted import converted
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.terminal.progress import long_work
from ecgmon.wire import Frame, messages
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from trainer.data.dataset import record_set
from trainer.data.people import MITDB, people
from trainer.data.protocol_splits import wearer_folds
from trainer.data.splits import ENROLMENT_S
from trainer.data.window_people import SVDB
from trainer.evaluation.enrolment import model_path
from trainer.networks.window_networks import BeatNet

ROOT: Final = Path(__file__).resolve().parents[1]
KEPT: Final = ROOT / "docs" / "results" / "in-service.json"
PAGE: Final = KEPT.with_suffix(".md")
BEATS: Final = ROOT / "runs" / "beat-models"
WORKERS: Final = 2
PIECE: Final = 10 * RATE
"""Samples of a frame; the verdicts are the same for any."""


@dataclass(frozen=True)
class Replay:
    """A record, the way its wearer was enrolled, and the models that judge it."""

    record: str
    way: str
    model: Path
    beats: Path

    @property
    def name(self) -> str:
        """By what it is known in the file of counts."""
        return f"{self.record}/{self.way}"

    @property
    def digest(self) -> str:
        """What decides its counts."""
        models = self.model.read_bytes() + self.beats.read_bytes()
        return hashlib.sha256(models).hexdigest()[:16]


def published(record: Record, model: Path, beats: Path | None) -> list[messages.Window]:
    """Return what the monitor publishes of the seconds of a record."""
    registry = WearerRegistry(WearerPolicy(lambda _: model, resolve_beats=lambda _: beats))
    hello = messages.Hello(wearer="x", stream=f"{1:016x}", rate=RATE, leads=[record.lead])
    stream = registry.open(hello, None, 0.0)[0].stream
    windows = []
    for at in range(0, len(record.samples), PIECE):
        piece = record.samples[at : at + PIECE]
        stream.accept(Frame(1, at, 0, 360_000, record.gain, record.lead, piece), 0.0)
        found = registry.advance(lambda _: False)
        windows += [each for each in found if isinstance(each, messages.Window)]
    return windows


def counted(replay: Replay) -> dict[str, Any]:
    """Play a record without and with a model of beats, and count."""
    record = converted(read(obtain(replay.record)))
    known = record_set(record, BeatNet.geometry, BeatNet.steps_per_second)
    labels = known.labels.copy()
    labels[known.unsettled] = UNLABELLED
    labels[:ENROLMENT_S] = UNLABELLED
    model = Model.load(replay.model)
    offline = model.probability(known.inputs)
    counts: dict[str, Any] = {"models": replay.digest}
    for kind, beats in (("without", None), ("with", replay.beats)):
        truth, called, differ, silent = [], [], 0, 0
        for window in published(record, replay.model, beats):
            second = window.first // WINDOW
            if second >= len(labels) or labels[second] == UNLABELLED:
                continue
            if window.abnormal is None:
                silent += 1
                continue
            truth.append(labels[second] == ABNORMAL)
            called.append(window.abnormal)
            differ += bool(offline[second] >= model.card.threshold) != window.abnormal
        confusion = Confusion.of(np.array(truth, dtype=bool), np.array(called, dtype=bool))
        counts[kind] = asdict(confusion) | {"differ": differ, "silent": silent}
    return counts


def replays() -> list[Replay]:
    """Return all replays, in the order of the records' names."""
    work = max(Path("runs").glob("new-wearer-beatnet-*"), key=lambda path: path.stat().st_mtime)
    fold_of = {record: person.fold for person in people() for record in person.records}
    found = []
    for number, fold in enumerate(wearer_folds()):
        generic = work / f"generic-{number}.onnx"
        for wearer in fold.strangers:
            record = f"{MITDB}/{wearer}"
            beats = BEATS / f"fold-{fold_of[record]}.onnx"
            found.append(Replay(record, "generic", generic, beats))
            for way in WAYS:
                own = model_path(work, wearer, way)
                found.append(Replay(record, way, own if own.is_file() else generic, beats))
    for person in people():
        if person.database == SVDB:
            generic, beats = (
                folder / f"{kind}-{person.fold}.onnx"
                for folder, kind in ((work, "generic"), (BEATS, "fold"))
            )
            for record in person.records:
                own = work / f"{record.rpartition('/')[2]}.onnx"
                found.append(Replay(record, "generic", generic, beats))
                found.append(Replay(record, "annotated", own, beats))
    return sorted(found, key=lambda replay: replay.name)


def write(counts: dict[str, dict[str, Any]]) -> None:
    """Write what was counted so far."""
    text = json.dumps(counts, indent=1, sort_keys=True) + "\n"
    atomic_write(KEPT, text.encode())


def run(wanted: Sequence[Replay]) -> dict[str, dict[str, Any]]:
    """Play what is not in the file of counts, and return all counts."""
    kept = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    current = {each.name: each.digest for each in wanted}
    counts = {n: c for n, c in kept.items() if c["models"] == current.get(n)}
    missing = [each for each in wanted if each.name not in counts]
    with long_work() as bar, ProcessPoolExecutor(WORKERS) as pool:
        task = bar.add_task("Replays", total=len(missing), note="")
        running = {pool.submit(counted, each): each.name for each in missing}
        for done in as_completed(running):
            counts[running[done]] = done.result()
            write(counts)
            bar.update(task, advance=1, note=running[done])
    return counts


if __name__ == "__main__":
    PAGE.write_text(page(run(replays())), encoding="utf-8")
