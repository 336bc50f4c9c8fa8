"""How soon verdicts come: from the sending of the last sample that one needs to its arrival."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW


def delays(generated: Path, viewed: Path, warm_s: float = 0.0) -> NDArray[np.float64]:
    """Return the seconds from the sending of the last sample a window needs to its arrival.

    Parameters
    ----------
    generated : Path
        When each frame was sent, by `load`.
    viewed : Path
        When each window arrived, by `load_viewer`; times are of one machine's monotonic clock.
    warm_s : float
        Windows whose last sample was sent in the first seconds are left out.

    Returns
    -------
    ndarray of float64, shape (windows,)
        Of all windows of which all samples were sent. Those that the stream's end completed are
        left out.
    """
    load, view = np.load(generated), np.load(viewed)
    place = {name: index for index, name in enumerate(load["names"].tolist())}
    row = np.array([place[name] for name in view["names"].tolist()], dtype=np.int64)
    look_ahead = np.nan_to_num(view["look_ahead_s"])[view["wearer"]]
    wearer = row[view["wearer"]]
    needed = view["first"] + WINDOW + np.rint(look_ahead * RATE).astype(np.int64)
    frame = -(-needed // load["length"][wearer]) - 1
    inside = frame < load["sent"].shape[1]
    sent = load["sent"][wearer[inside], frame[inside]]
    found: NDArray[np.float64] = view["arrived"][inside] - sent
    counted = sent >= np.nanmin(load["sent"], initial=np.inf) + warm_s
    return found[counted]


def quantiles(found: NDArray[np.float64]) -> dict[str, float | int]:
    """Return what is told of delays, in milliseconds."""
    if not len(found):
        return {"windows": 0}
    p50, p95, p99 = (1000 * np.quantile(found, q) for q in (0.5, 0.95, 0.99))
    return {
        "windows": len(found),
        "p50": round(float(p50), 2),
        "p95": round(float(p95), 2),
        "p99": round(float(p99), 2),
        "max": round(float(1000 * found.max()), 2),
    }
