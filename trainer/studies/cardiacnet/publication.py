"""Figures that the publication of study 1 reports: Vavekanand et al. 2024, CardiacNet."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

MEAN_INDIVIDUAL: Final = 0.946
MEAN_FINE_TUNED: Final = 0.935
"""Mean test balanced accuracy over the 29 patients."""
ABOVE_INDIVIDUAL: Final = 18
ABOVE_FINE_TUNED: Final = 16
"""Patients above 0.95."""
WINDOWS: Final = 49_245


class Reported(NamedTuple):
    """A patient's individual network: its chosen hyper-parameters and test balanced accuracy."""

    batch: int
    learning_rate: float
    weighted: bool
    balanced_accuracy: float


INDIVIDUAL: Final[Mapping[str, Reported]] = MappingProxyType(
    {
        "100": Reported(4, 0.001, True, 0.713),
        "102": Reported(4, 0.001, True, 1.000),
        "104": Reported(4, 0.001, False, 0.993),
        "105": Reported(4, 0.001, False, 0.996),
        "106": Reported(16, 0.001, True, 0.985),
        "108": Reported(32, 0.01, True, 0.776),
        "114": Reported(4, 0.001, False, 0.955),
        "116": Reported(16, 0.001, True, 0.932),
        "119": Reported(4, 0.01, True, 1.000),
        "200": Reported(32, 0.01, True, 0.962),
        "201": Reported(32, 0.001, True, 0.925),
        "202": Reported(16, 0.001, True, 0.903),
        "203": Reported(4, 0.001, True, 0.966),
        "205": Reported(32, 0.001, True, 0.958),
        "208": Reported(4, 0.01, False, 0.977),
        "209": Reported(4, 0.001, False, 0.950),
        "210": Reported(16, 0.001, True, 0.943),
        "212": Reported(16, 0.001, True, 1.000),
        "213": Reported(4, 0.001, True, 0.919),
        "215": Reported(4, 0.001, True, 1.000),
        "217": Reported(4, 0.001, True, 0.998),
        "219": Reported(16, 0.01, True, 0.965),
        "220": Reported(16, 0.01, True, 0.955),
        "221": Reported(32, 0.001, False, 0.994),
        "222": Reported(32, 0.001, False, 0.897),
        "223": Reported(16, 0.001, True, 0.916),
        "228": Reported(16, 0.001, True, 0.986),
        "231": Reported(4, 0.001, True, 0.996),
        "233": Reported(32, 0.001, False, 0.988),
    }
)
"""By record. For the fine-tuned networks the publication gives the mean alone."""
