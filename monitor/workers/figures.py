"""Figures of several processes as those of one monitor."""

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from monitor.workers.words import Family, Sample

LARGEST: Final = frozenset({"ecgmon_disk_failing_seconds", "process_max_fds"})
"""Figures of which the largest counts, not the sum."""
OF_FRONT: Final = frozenset({"process_start_time_seconds"})
"""Figures of which that of the front counts."""
_Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def families(registry: CollectorRegistry) -> list[Family]:
    """Return all figures of a process."""
    return [
        (
            family.name,
            family.documentation,
            family.type,
            [(one.name, dict(one.labels), one.value) for one in family.samples],
        )
        for family in registry.collect()
    ]


class JoinedFigures(Collector):
    """Collects the figures of the front and of its workers: sums, but for `LARGEST`.

    What a worker has counted that has ended stays counted.

    Parameters
    ----------
    front : CollectorRegistry
        The front's own figures.
    """

    def __init__(self, front: CollectorRegistry) -> None:
        self._front = front
        self._of_workers: dict[int, list[Family]] = {}
        self._ended: list[Family] = []
        self.registry: Final = CollectorRegistry()
        self.registry.register(self)

    def take(self, worker: int, figures: list[Family]) -> None:
        """Take the figures of a worker."""
        self._of_workers = self._of_workers | {worker: figures}  # others may be reading the one

    def forget(self, worker: int) -> None:
        """Keep what a worker that has ended has counted, and forget how it was."""
        last = self._of_workers.get(worker, [])
        counted = [family for family in last if family[2] in ("counter", "histogram")]
        self._ended = _joined([self._ended, counted])
        self._of_workers = {n: of for n, of in self._of_workers.items() if n != worker}

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of all."""
        every = [families(self._front), *self._of_workers.values(), self._ended]
        for name, text, kind, samples in _joined(every):
            metric = Metric(name, text, kind)
            for sample, labels, value in samples:
                metric.add_sample(sample, labels, value)
            yield metric


def _joined(every: Iterable[list[Family]]) -> list[Family]:
    """Return figures of one name and the same labels as one."""
    values: dict[str, _Values] = {}
    known: dict[str, tuple[str, str]] = {}
    for of_one in every:
        for name, text, kind, samples in of_one:
            known.setdefault(name, (text, kind))
            joined = values.setdefault(name, {})
            for sample in samples:
                _join(joined, sample)
    return [
        (name, *known[name], [(sample, dict(labels), v) for (sample, labels), v in of.items()])
        for name, of in values.items()
    ]


def _join(joined: _Values, sample: Sample) -> None:
    name, labels, value = sample
    key = name, tuple(sorted(labels.items()))
    before = joined.get(key)
    if before is None:
        joined[key] = value
    elif name in LARGEST:
        joined[key] = max(before, value)
    elif name not in OF_FRONT and not name.endswith("_created"):
        joined[key] = before + value
