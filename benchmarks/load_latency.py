"""How soon verdicts come: from the sending of the last sample that one needs to its arrival."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE, WINDOW


def delays(generated: Path, viewed: Path, warm_s: float = 0.0) -> tuple[NDArray[np.float64], int]:
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
    int
        Windows of which all samples were sent, and that have not come.
    """
    load, view = np.load(generated), np.load(viewed)
    length, sent = load["length"], load["sent"]
    place = {name: index for index, name in enumerate(load["names"].tolist())}
    row = np.array([place[name] for name in view["names"].tolist()], dtype=np.int64)
    ahead = np.full(len(length), np.nan_to_num(view["look_ahead_s"]).max(initial=0.0))
    ahead[row] = np.where(np.isnan(view["look_ahead_s"]), ahead[row], view["look_ahead_s"])
    since = np.nanmin(sent, initial=np.inf) + warm_s

    def completed(wearer: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return when the last sample that windows need was sent; NaN if that is not counted."""
        needed = first + WINDOW + np.rint(ahead[wearer] * RATE).astype(np.int64)
        frame = -(-needed // length[wearer]) - 1
        last = sent.shape[1] - 1
        at = np.where(frame <= last, sent[wearer, np.minimum(frame, last)], np.nan)
        return np.where(at >= since, at, np.nan)

    wearers = np.arange(len(length))[:, None]
    most = int((length * np.count_nonzero(~np.isnan(sent), axis=1)).max(initial=0)) // WINDOW
    due = int(np.count_nonzero(~np.isnan(completed(wearers, WINDOW * np.arange(most)[None]))))
    found = view["arrived"] - completed(row[view["wearer"]], view["first"])
    counted: NDArray[np.float64] = found[~np.isnan(found)]
    return counted, due - len(counted)


def judged(viewed: Path, begin: float, end: float) -> int:
    """Return how many windows arrived from one moment to another, by the monotonic clock."""
    arrived = np.load(viewed)["arrived"]
    return int(np.count_nonzero((arrived >= begin) & (arrived < end)))


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
