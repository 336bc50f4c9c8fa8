"""Candidates for the project's own model: writes docs/results/model-choice.{json,md}.

Run by ``make model-choice``. Every variant changes one thing of the recipe. Each is trained on the
same wearers, judged on strangers and, after enrolment on five minutes, on the rest of their
records. Those strangers choose; figures of what was chosen come from the protocols. A variant that
the JSON file holds is not run again.
"""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ecgmon.metrics.two_classes import Confusion
from ecgmon.terminal.progress import long_work
from trainer.data import noise, splits
from trainer.data.dataset import RecordSet, load
from trainer.evaluation.figures import mean, pooled
from trainer.networks.window_networks import BeatNet, Norm, WearerNorm, parameter_count
from trainer.training.batches import Group, Noise, SegmentBatches
from trainer.training.fit import FitSettings, deterministic, fit
from trainer.training.scoring import best_threshold, judge, probabilities
from trainer.training.window_trainings import TRAININGS

OUT = Path("docs/results")
RECIPE = TRAININGS["beatnet"]
WORKERS = 2
Batches = Callable[[Sequence[Group], Noise], SegmentBatches]


class ShortHistory(BeatNet):
    """Without the two longest layers: 62 steps (2.07 s) less history."""

    shapes = BeatNet.shapes[:-2]

    def along_time(self, x: Tensor) -> Tensor:
        """Drop the history that no layer needs."""
        return super().along_time(x[..., 62 * 4 :])


class NoLookAhead(BeatNet):
    """All layers look back; 3 s of history and nothing after the window."""

    shapes = (
        *((kernel, dilation, True) for kernel, dilation, _ in BeatNet.shapes[:-1]),
        (2, 15, True),
    )

    def along_time(self, x: Tensor) -> Tensor:
        """Drop the look-ahead."""
        return super().along_time(x[..., :-60])


class WindowOnly(SegmentBatches):
    """Supervised by the label of the window alone."""

    ALONG_TIME = 0.0
    BEATS = 0.0


class Clean(SegmentBatches):
    """Neither amplitude nor noise varies."""

    GAIN = 0.0
    NOISE = 0.0


class Focal(SegmentBatches):
    """Focal loss with gamma 2 (Lin et al. 2017)."""

    @staticmethod
    def criterion(logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss with easy windows and steps weighted down."""
        each = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        return ((1 - torch.exp(-each)) ** 2 * each).mean()


def enrolment(kind: type[SegmentBatches] = SegmentBatches, **changed: float) -> Batches:
    """Return the recipe's batches of enrolment, changed."""
    return partial(kind, **RECIPE.enrolment.keywords | changed)


@dataclass(frozen=True)
class Variant:
    """One thing changed."""

    about: str
    network: Callable[..., BeatNet] = BeatNet
    norm: Norm = WearerNorm
    batches: Batches = RECIPE.batches
    enrolment: Batches = RECIPE.enrolment
    noisy: bool = True
    generic: FitSettings = RECIPE.generic
    patient: FitSettings = RECIPE.patient
    rehearsal: int = RECIPE.rehearsal

    @property
    def key(self) -> tuple:
        """Settings that the generic network depends on."""
        return (self.network, self.norm, self.batches, self.noisy, self.generic)


def both(about: str, kind: type[SegmentBatches] = SegmentBatches, **changed: float) -> Variant:
    """Return a variant with other batches throughout."""
    return Variant(about, batches=partial(kind, **changed), enrolment=enrolment(kind, **changed))


VARIANTS = {
    "recipe": Variant("**the recipe**"),
    "other-seed": Variant("another seed", generic=replace(RECIPE.generic, seed=2)),
    "batch-norm": Variant("ordinary batch normalisation", norm=nn.BatchNorm1d),
    "same-rate": both("rhythms as fast as they are", faster=0.0),
    "no-premature": both("no premature beats made", premature=0.0),
    "single-premature": both("no runs of premature beats", run_on=0.0),
    "fewer-premature": Variant(
        "premature beats in 0.3 of the stretches in enrolment too",
        enrolment=enrolment(premature=0.3),
    ),
    "no-noise": Variant("no real noise", noisy=False),
    "clean": both("no artificial amplitude and noise", Clean),
    "smoothed": Variant(
        "label smoothing 0.05 in generic training too",
        batches=partial(SegmentBatches, smoothing=0.05),
    ),
    "hard": Variant("no label smoothing in enrolment", enrolment=enrolment(smoothing=0.0)),
    "focal": both("focal loss, gamma 2, instead of smoothing", Focal, smoothing=0.0),
    "no-rehearsal": Variant("enrolled on the wearer's stretches alone", rehearsal=0),
    "half-rehearsal": Variant("half of an enrolment's batch rehearses", rehearsal=16),
    "long-enrolment": Variant(
        "600 steps of enrolment instead of 300", patient=replace(RECIPE.patient, steps=600)
    ),
    "window-label": both("supervised by window labels alone", WindowOnly),
    "short-history": Variant("0.9 s of history instead of 3 s", ShortHistory),
    "no-look-ahead": Variant("no look-ahead instead of 0.5 s", NoLookAhead),
    "narrow": Variant("16 channels instead of 32", partial(BeatNet, channels=16)),
    "wide": Variant("48 channels instead of 32", partial(BeatNet, channels=48)),
}


class Bench:
    """The wearers of both sides."""

    def __init__(self) -> None:
        fitted = [name for name in splits.TRAINING if name not in splits.MODEL_SELECTION]
        sets = load(fitted + list(splits.MODEL_SELECTION), BeatNet)
        self.training, self.strangers = sets[: len(fitted)], sets[len(fitted) :]
        self._recordings = noise.load(BeatNet.geometry)

    def generic(self, variant: Variant) -> BeatNet:
        """Return the variant's generic network."""
        deterministic(variant.generic.seed)
        group = Group(self.training, RECIPE.share, together=RECIPE.together)
        network = fit(
            variant.network(norm=variant.norm),
            variant.batches([group], self.noise(variant)),
            variant.generic,
            score=lambda network: best_threshold(judge(network, self.strangers))[1],
        )
        return network.folded().eval()

    def row(self, variant: Variant, generic: BeatNet) -> dict[str, Any]:
        """Enrol with a generic network and judge before and after."""
        judged = judge(generic, self.strangers)
        threshold, _ = best_threshold(judged)
        figures = {
            "strangers": [s.confusion(p, threshold) for s, p in judged],
            "enrolled": [self._enrolled(generic, s, variant) for s in self.strangers],
        }
        with FlopCounterMode(display=False) as counter:
            generic(torch.zeros(1, BeatNet.geometry.inputs))
        return {
            "about": variant.about,
            **{name: mean(each)["balanced_accuracy"] for name, each in figures.items()},
            **{f"{name}_f1": pooled(each)["f1"] for name, each in figures.items()},
            "per_wearer": {
                s.wearer: {name: each[i].balanced_accuracy for name, each in figures.items()}
                for i, s in enumerate(self.strangers)
            },
            "parameters": parameter_count(generic),
            "multiply_adds": counter.get_total_flops() // 2,
        }

    def noise(self, variant: Variant) -> Noise:
        """Return the recordings of noise that the variant trains with."""
        return self._recordings if variant.noisy else ()

    def _enrolled(self, generic: BeatNet, wearer: RecordSet, variant: Variant) -> Confusion:
        deterministic(RECIPE.patient.seed)
        first, others = splits.ENROLMENT_S, variant.rehearsal
        groups = [Group([wearer], RECIPE.share - others, stop=first)]
        if others:
            groups.append(Group(self.training, others))
        batches = variant.enrolment(groups, self.noise(variant))
        own = fit(generic.folded(), batches, variant.patient)
        rest = probabilities(own, wearer.inputs[first:])
        return wearer.confusion(rest, RECIPE.patient_threshold, first)


@cache
def bench() -> Bench:
    """Return this process's bench."""
    return Bench()


def run(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the rows of variants that start from one generic network."""
    started = time.perf_counter()
    generic = bench().generic(VARIANTS[names[0]])
    rows = {}
    for name in names:
        rows[name] = bench().row(VARIANTS[name], generic)
        rows[name]["seconds"] = round(time.perf_counter() - started)
        started = time.perf_counter()
    return rows


def page(rows: dict[str, dict[str, Any]]) -> str:
    """Return the page's table."""
    lines = [
        "| variant | strangers | F1 | enrolled | F1 | parameters "
        "| M multiply-adds / s | min |\n|---" + "|---:" * 7 + "|\n"
    ]
    for row in (rows[name] for name in VARIANTS if name in rows):
        figures = " | ".join(
            f"{row[kind]:.3f} | {row[f'{kind}_f1']:.3f}" for kind in ("strangers", "enrolled")
        )
        cost = f"{row['parameters']:,} | {row['multiply_adds'] / 1e6:.1f}"
        lines.append(f"| {row['about']} | {figures} | {cost} | {row['seconds'] / 60:.1f} |\n")
    return "".join(lines)


def write(rows: dict[str, dict[str, Any]]) -> None:
    """Write the JSON file and the page's table."""
    new = OUT / "model-choice.new"
    new.write_text(json.dumps(rows, indent=1) + "\n")
    new.replace(OUT / "model-choice.json")
    text = (OUT / "model-choice.md").read_text()
    begin, end = "<!-- table -->\n", "<!-- end of table -->"
    before, _, rest = text.partition(begin)
    (OUT / "model-choice.md").write_text(before + begin + page(rows) + end + rest.partition(end)[2])


if __name__ == "__main__":
    path = OUT / "model-choice.json"
    rows = json.loads(path.read_text()) if path.is_file() else {}
    together = defaultdict(list)
    for name, variant in VARIANTS.items():
        if name not in rows:
            together[variant.key].append(name)
    with (
        long_work() as bar,
        ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool,
    ):
        task = bar.add_task("Variants", total=len(VARIANTS), completed=len(rows), note="")
        for done in as_completed(pool.submit(run, names) for names in together.values()):
            rows |= done.result()
            write(rows)
            bar.update(task, completed=len(rows))
