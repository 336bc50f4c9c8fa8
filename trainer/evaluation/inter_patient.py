"""Protocol ``inter-patient``: DS1 -> DS2 without adaptation."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ecgmon.models.bundle import Model
from trainer.data import people
from trainer.data.protocol_splits import DS1, DS1_MODEL_SELECTION, DS2
from trainer.data.window_people import Sets, beside, choosers
from trainer.evaluation.outcome import Outcome, Progress, judge
from trainer.training import build, window_trainings
from trainer.training.batches import Noise


class InterPatient:
    """De Chazal's split: one generic model from DS1, judged on the whole of each DS2 record."""

    name = work = command = "inter-patient"
    models = 1
    extra: Mapping[str, Any] = MappingProxyType({})
    about = f"""One generic model from DS1 of de Chazal et al. (2004), judged on the whole records
of DS2 without any adaptation. People of other databases teach, too.
{", ".join(DS1_MODEL_SELECTION)} of DS1 choose its epoch and threshold and are not fitted to. The
split has one flaw that the field lives with: 201 in DS1 and 202 in DS2 are the same person.
"""

    def remarks(self, _: dict[str, Any]) -> str:
        """Return nothing: the page's own tables say all."""
        return ""

    def outcomes(
        self,
        sets: Sets,
        noise: Noise,
        network: str,
        seed: int,
        work: Path,
        progress: Progress,
    ) -> list[Outcome]:
        """Train and judge; a model already in ``work`` is not trained again."""
        path = work / "ds1.onnx"
        if not path.is_file():
            sides, kinds = people.inter_patient(), window_trainings.TRAININGS[network].beside
            own = [name for name in DS1 if name not in DS1_MODEL_SELECTION]
            build.train_generic(
                network,
                [lead for name in own for lead in sets[name]],
                [
                    *(sets[name][0] for name in DS1_MODEL_SELECTION),
                    *choosers(sides, sets, kinds),
                ],
                seed,
                path,
                noise,
                beside=beside(sides, sets, kinds),
            )
        progress("DS1")
        model = Model.load(path)
        return [Outcome(name, {"generic": judge(model, sets[name][0])}) for name in DS2]
