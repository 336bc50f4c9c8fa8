"""What a wearer-second costs as it is usually done: other packages, and Python for each wearer.

    make others
    python benchmarks/others.py --rounds 3 --seconds 60

The packages are installed beside the project, of which they are no part (runs/others). One thread,
simulated signals. *live*: once a second over the last ten seconds, as a program would that calls
such a package for a stream; *whole*: once over a recording. None of them gives what the monitor
gives: no capture, no journal, no alarms. Writes docs/results/performance/others.json.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from measurements import store, summary
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt

from ecgmon.core.constants import RATE
from ecgmon.models.bundle import Model
from ecgmon.models.window_layers import GEOMETRY
from replay.simulator.simulation import GAIN, simulate

GENERIC: Final = Path(__file__).parents[1] / "ecgmon" / "models" / "built_in" / "generic.onnx"
LAST_S: Final = 10
FRAME: Final = RATE // 10
CALLS: Final = 20
"""Live calls that are timed in a round."""
Signal = NDArray[np.float64]
Way = Callable[[Signal], Any]


def neurokit() -> Way:
    """Return NeuroKit2's cleaning and its detector of beats."""
    import neurokit2 as nk

    return lambda x: nk.ecg_peaks(nk.ecg_clean(x, sampling_rate=RATE), sampling_rate=RATE)


def biosppy() -> Way:
    """Return BioSPPy's analysis: filter, beats, templates, heart rate."""
    from biosppy.signals import ecg

    return lambda x: ecg.ecg(x, sampling_rate=float(RATE), show=False)


def xqrs() -> Way:
    """Return the detector of beats of wfdb."""
    from wfdb.processing import xqrs_detect

    return lambda x: xqrs_detect(x, RATE, verbose=False)


def openecg() -> Way:
    """Return openecg's pretrained codec of beats and waves, run by ONNX Runtime."""
    import openecg as package

    model = package.load_codec_onnx(version="v6")
    return lambda x: package.encode_stream(resample_poly(x, 25, 18), fs=500, model=model)


class WearerByWearer:
    """A filter, a buffer and a window model, in Python for each wearer and frame.

    Parameters
    ----------
    judge : callable
        Gives the probability of one window, shape (1, inputs).
    """

    def __init__(self, judge: Callable[[NDArray[np.float32]], Any]) -> None:
        self._judge = judge
        self._sections = butter(4, (0.4, 30.0), "bandpass", output="sos", fs=RATE)

    def __call__(self, signal: Signal) -> None:
        """Process a signal frame by frame, and judge a window each second."""
        state = np.zeros((len(self._sections), 2))
        kept = np.zeros(GEOMETRY.context)
        for at in range(0, len(signal), FRAME):
            filtered, state = sosfilt(self._sections, signal[at : at + FRAME], zi=state)
            kept = np.concatenate([kept[len(filtered) :], filtered])
            if (at + FRAME) % RATE == 0:
                window = kept / max(np.ptp(kept), 0.1)
                inputs = window[:: RATE // GEOMETRY.rate].astype(np.float32)
                self._judge(inputs[None])


def onnx_session() -> Way:
    """Return a filter and an ONNX Runtime session for each wearer."""
    return WearerByWearer(Model.load(GENERIC).probability)


def torch_eager() -> Way:
    """Return a filter and a torch network for each wearer."""
    import torch

    from trainer.training.onnx_export import restore

    torch.set_num_threads(1)
    network, _ = restore(GENERIC)

    def judge(inputs: NDArray[np.float32]) -> None:
        with torch.inference_mode():
            network.probability(torch.from_numpy(inputs))

    return WearerByWearer(judge)


PACKAGES: Final[dict[str, tuple[str, Callable[[], Way]]]] = {
    "NeuroKit2": ("neurokit2", neurokit),
    "BioSPPy": ("biosppy", biosppy),
    "wfdb xqrs": ("wfdb", xqrs),
    "openecg": ("openecg", openecg),
}
OWN: Final = {"sosfilt and ONNX Runtime": onnx_session, "sosfilt and torch": torch_eager}


def cost(way: Way, signals: list[Signal], seconds: float) -> float:
    """Return CPU microseconds for a second of one wearer, where each call stands for so many."""
    began = time.process_time()
    for signal in signals:
        way(signal)
    return 1e6 * (time.process_time() - began) / (len(signals) * seconds)


def measured_ways(rounds: int, seconds: int) -> dict[str, list[float]]:
    """Return the costs of each way, by round; all in turns."""
    ways = {name: make() for name, (_, make) in PACKAGES.items()}
    by_wearer = {name: make() for name, make in OWN.items()}
    costs: dict[str, list[float]] = {}
    for seed in range(rounds + 1):
        x = simulate("premature", seed=seed + 1, duration_s=seconds).record.samples / GAIN
        last = [x[at : at + LAST_S * RATE] for at in range(0, CALLS * RATE, RATE)]
        found = {f"{name}, live": cost(way, last, 1.0) for name, way in ways.items()}
        found |= {f"{name}, whole": cost(way, [x], seconds) for name, way in ways.items()}
        found |= {name: cost(way, [x], seconds) for name, way in by_wearer.items()}
        for name, value in found.items() if seed else ():  # the first one warms up
            costs.setdefault(name, []).append(value)
    return costs


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=300)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    costs = measured_ways(given.rounds, max(given.seconds, CALLS + LAST_S))
    result = {
        "costs": {name: summary(values) for name, values in costs.items()},
        "versions": {name: version(package) for name, (package, _) in PACKAGES.items()},
        "rounds": given.rounds,
        "seconds": given.seconds,
    }
    store("others", result)
    sys.stdout.write(f"{result['costs']}\n")


if __name__ == "__main__":
    main()
