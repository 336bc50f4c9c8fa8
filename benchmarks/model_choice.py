"""What was tried for the project's own model: writes docs/results/model-choice.{json,md}.

Run by ``make model-choice``. Every variant changes one thing of the recipe. Each is trained on the
same wearers, judged on strangers and, after enrolment on five minutes, on the rest of their
records. Those strangers choose; figures of what was chosen come from the protocols. A variant that
the JSON file holds is not run again.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ecgmon.metrics import Confusion
from trainer import noise, splits
from trainer.batches import Group, Noise, SegmentBatches
from trainer.dataset import RecordSet, load
from trainer.evaluation.figures import mean, pooled
from trainer.fit import Settings, deterministic, fit
from trainer.judging import best_threshold, confusion, judge, probabilities
from trainer.networks import BeatNet, parameter_count

OUT = Path("docs/results")
SEED = 1
GENERIC = Settings(epochs=10, learning_rate=3e-3, seed=SEED)
PATIENT = Settings(epochs=1, steps=300, learning_rate=1e-3, seed=SEED)


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


Batches = Callable[[Sequence[Group], Noise], SegmentBatches]


NARROW = partial(BeatNet, channels=16)
WIDE = partial(BeatNet, channels=48)
SOFT = partial(SegmentBatches, smoothing=0.05)


@dataclass(frozen=True)
class Variant:
    """One thing changed."""

    about: str
    network: Callable[[], BeatNet] = BeatNet
    batches: Batches = SegmentBatches
    enrolment: Batches = SOFT
    noisy: bool = True
    generic: Settings = GENERIC
    patient: Settings = PATIENT
    rehearse: bool = True


BARE = partial(SegmentBatches, premature=0.0)
SINGLE = partial(SegmentBatches, run_on=0.0)
OFTEN = partial(SegmentBatches, premature=0.6)
OFTEN_SOFT = partial(SegmentBatches, premature=0.6, smoothing=0.05)
VARIANTS = {
    "bare": Variant(
        "no premature beats, no real noise, no label smoothing", BeatNet, BARE, BARE, noisy=False
    ),
    "single-premature": Variant(
        "single premature beats, no real noise, no label smoothing",
        BeatNet,
        SINGLE,
        SINGLE,
        noisy=False,
    ),
    "premature": Variant(
        "premature beats and runs of them, no real noise, no label smoothing",
        enrolment=SegmentBatches,
        noisy=False,
    ),
    "premature-smoothed": Variant(
        "the same with label smoothing 0.05 throughout", BeatNet, SOFT, SOFT, noisy=False
    ),
    "hard-enrolment": Variant(
        "premature beats, real noise, no label smoothing", enrolment=SegmentBatches
    ),
    "smoothed": Variant("the same with label smoothing 0.05 throughout", BeatNet, SOFT),
    "recipe": Variant("**the recipe**: with label smoothing 0.05 in enrolment alone"),
    "no-rehearsal": Variant("enrolled on the wearer's stretches alone", rehearse=False),
    "long-enrolment": Variant(
        "600 steps of enrolment instead of 300", patient=Settings(1, 1e-3, SEED, steps=600)
    ),
    "gentle-enrolment": Variant(
        "enrolled at a third of the learning rate", patient=Settings(1, 3e-4, SEED, steps=300)
    ),
    "other-seed": Variant("another seed", generic=Settings(10, 3e-3, 2)),
    "focal": Variant("focal loss, gamma 2, instead of smoothing", BeatNet, Focal, Focal),
    "window-label": Variant("supervised by window labels alone", BeatNet, WindowOnly, WindowOnly),
    "short-history": Variant("0.9 s of history instead of 3 s", ShortHistory),
    "no-look-ahead": Variant("no look-ahead instead of 0.5 s", NoLookAhead),
    "narrow": Variant("16 channels instead of 32", NARROW),
    "wide": Variant("48 channels instead of 32", WIDE),
    "more-premature": Variant(
        "premature beats in 0.6 of the stretches instead of 0.3", BeatNet, OFTEN, OFTEN_SOFT
    ),
    "clean": Variant("no artificial amplitude and noise", BeatNet, Clean, Clean),
    "longer": Variant("20 epochs instead of 10", generic=Settings(20, 3e-3, SEED)),
}


class Bench:
    """The wearers of both sides, and generic networks that several variants start from."""

    def __init__(self) -> None:
        fitted = [name for name in splits.TRAINING if name not in splits.CHOOSING]
        sets = load(fitted + list(splits.CHOOSING), BeatNet)
        self.training, self.strangers = sets[: len(fitted)], sets[len(fitted) :]
        self.recordings = noise.load(BeatNet.geometry)
        self._generic: dict[tuple, BeatNet] = {}

    def generic(self, variant: Variant, recordings: Noise) -> BeatNet:
        """Return the variant's generic network, trained once."""
        key = (variant.network, variant.batches, variant.noisy, variant.generic)
        if key not in self._generic:
            deterministic(variant.generic.seed)
            self._generic[key] = fit(
                variant.network(),
                variant.batches([Group(self.training, 32)], recordings),
                variant.generic,
                score=lambda network: best_threshold(judge(network, self.strangers))[1],
            ).folded()
        return self._generic[key].eval()

    def run(self, variant: Variant) -> dict:
        """Train, enrol and judge one variant."""
        recordings = self.recordings if variant.noisy else ()
        started = time.perf_counter()
        generic = self.generic(variant, recordings)
        judged = judge(generic, self.strangers)
        threshold, _ = best_threshold(judged)
        before = [confusion(s, p, threshold) for s, p in judged]
        after = [self._enrolled(generic, s, variant, recordings) for s in self.strangers]
        return self._row(variant, generic, before, after) | {
            "seconds": round(time.perf_counter() - started)
        }

    def _enrolled(
        self, generic: BeatNet, wearer: RecordSet, variant: Variant, recordings: Noise
    ) -> Confusion:
        deterministic(SEED)
        groups = [Group([wearer], 16, stop=splits.ENROLMENT_S), Group(self.training, 16)]
        batches = variant.enrolment(groups if variant.rehearse else groups[:1], recordings)
        own = fit(generic.folded(), batches, variant.patient)
        rest = probabilities(own, wearer.inputs[splits.ENROLMENT_S :])
        return confusion(wearer, rest, 0.5, splits.ENROLMENT_S)

    def _row(
        self,
        variant: Variant,
        generic: BeatNet,
        before: Sequence[Confusion],
        after: Sequence[Confusion],
    ) -> dict:
        with FlopCounterMode(display=False) as counter:
            generic(torch.zeros(1, BeatNet.geometry.inputs))
        return {
            "about": variant.about,
            "strangers": mean(before)["balanced_accuracy"],
            "strangers_f1": pooled(before)["f1"],
            "enrolled": mean(after)["balanced_accuracy"],
            "enrolled_f1": pooled(after)["f1"],
            "per_wearer": {
                s.wearer: [b.balanced_accuracy, a.balanced_accuracy]
                for s, b, a in zip(self.strangers, before, after, strict=True)
            },
            "parameters": parameter_count(generic),
            "multiply_adds": counter.get_total_flops() // 2,
        }


def page(rows: dict[str, dict]) -> str:
    """Return the page's table."""
    head = "| variant | strangers | F1 | enrolled | F1 | parameters | M multiply-adds / s | min |\n"
    lines = [
        f"| {row['about']} | {row['strangers']:.3f} | {row['strangers_f1']:.3f} | "
        f"{row['enrolled']:.3f} | {row['enrolled_f1']:.3f} | {row['parameters']:,} | "
        f"{row['multiply_adds'] / 1e6:.1f} | {row['seconds'] / 60:.1f} |\n"
        for row in rows.values()
    ]
    return head + "|---|---:|---:|---:|---:|---:|---:|---:|\n" + "".join(lines)


if __name__ == "__main__":
    results = OUT / "model-choice.json"
    rows = json.loads(results.read_text()) if results.is_file() else {}
    bench = Bench()
    for name, variant in VARIANTS.items():
        if name not in rows:
            rows[name] = bench.run(variant)
            new = results.with_suffix(".new")
            new.write_text(json.dumps(rows, indent=1) + "\n")
            new.replace(results)
    text = (OUT / "model-choice.md").read_text()
    begin, end = "<!-- table -->\n", "<!-- end of table -->"
    before, _, rest = text.partition(begin)
    (OUT / "model-choice.md").write_text(before + begin + page(rows) + end + rest.partition(end)[2])
