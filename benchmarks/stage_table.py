"""Which stage of the monitor's work a piece of code belongs to."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

SampledRow = tuple[str, float, list[str]]
"""Thread, seconds of CPU time, and stack, innermost first."""
REST: Final = "rest"
THREADS: Final = {"MainThread": "main", "disk": "disk"}
"""The threads that are told apart, by their names."""
STAGES: Final[dict[str, tuple[str, ...]]] = {
    "wait": ("monitor/daemon.py:tick", "monitor/ops/pacing.py"),
    "receive": ("monitor/network/", "monitor/sources/"),
    "acknowledge": ("monitor/sources/device_connections.py", "monitor/network/router.py:answer"),
    "decode": ("ecgmon/wire/frame.py", "ecgmon/wire/messages.py:_decode"),
    "order": (
        "monitor/wearers/stream.py",
        "monitor/wearers/reorder_buffer.py",
        "monitor/wearers/pieces.py",
        "monitor/wearers/clock.py",
        "monitor/wearers/delivered_rate.py",
    ),
    "convert": (
        "ecgmon/signal/rate_converter.py",
        "ecgmon/signal/front_end.py",
        "ecgmon/signal/pacing_spikes.py",
        "ecgmon/core/units.py",
        "monitor/wearers/conversion.py",
    ),
    "filter": ("ecgmon/signal/filter.py", "ecgmon/signal/row_pieces.py"),
    "find beats": (
        "ecgmon/signal/qrs.py",
        "ecgmon/signal/qrs_energy.py",
        "ecgmon/signal/peaks.py",
        "ecgmon/signal/row_beats.py",
    ),
    "quality": (
        "ecgmon/signal/quality.py",
        "ecgmon/signal/stillness.py",
        "ecgmon/signal/sliding_quantiles.py",
        "ecgmon/signal/seconds.py",
    ),
    "cut windows": (
        "ecgmon/signal/windows.py",
        "ecgmon/signal/scale.py",
        "ecgmon/signal/sample_history.py",
        "ecgmon/signal/completed.py",
    ),
    "cut beats": (
        "ecgmon/signal/beat_segments.py",
        "ecgmon/signal/beat_cutter.py",
        "ecgmon/signal/beat_feed.py",
        "ecgmon/signal/latest_shapes.py",
        "ecgmon/signal/beat_kin.py",
        "ecgmon/signal/rr_context.py",
        "ecgmon/signal/rr_intervals.py",
        "ecgmon/signal/row_medians.py",
        "ecgmon/signal/row_turns.py",
        "ecgmon/signal/shape_context.py",
        "ecgmon/signal/usual_beat.py",
    ),
    "cut rhythms": ("ecgmon/signal/rhythm_segments.py", "ecgmon/signal/atrial_segments.py"),
    "other signal": ("ecgmon/signal/",),
    "judge windows": (
        "monitor/inference/engine.py",
        "monitor/inference/incremental.py",
        "monitor/inference/window_steps.py",
        "monitor/inference/bundle_pool.py",
    ),
    "judge beats": (
        "monitor/inference/beats.py",
        "monitor/inference/beat_stack.py",
        "monitor/inference/own_beats.py",
        "monitor/wearers/beats.py",
        "ecgmon/models/beat_kinds.py",
    ),
    "judge rhythms": ("monitor/inference/rhythms.py", "monitor/wearers/rhythms.py"),
    "alarms": (
        "monitor/alarms/",
        "monitor/wearers/reports.py",
        "monitor/wearers/recent_beats.py",
        "monitor/wearers/device_conditions.py",
    ),
    "models in service": (
        "ecgmon/models/resolve.py",
        "ecgmon/models/store.py",
        "ecgmon/models/loading.py",
        "monitor/wearers/judge_pools.py",
    ),
    "wearers' state": ("monitor/wearers/",),
    "journal": ("monitor/storage/",),
    "capture": (
        "monitor/storage/capture.py",
        "monitor/storage/growing_record.py",
        "monitor/storage/unwritten.py",
        "ecgmon/records/",
    ),
    "publish": ("monitor/sinks/", "ecgmon/wire/published_messages.py", "ecgmon/wire/numbering.py"),
    "metrics": ("monitor/ops/prometheus.py",),
    "each second": ("monitor/ops/", "monitor/overload.py"),
}
"""Folders, files and ``file:function`` of each stage; of several that fit, the longest counts."""
INFERENCE: Final = ("judge windows", "judge beats", "judge rhythms")
SIGNAL: Final = (
    "convert",
    "filter",
    "find beats",
    "quality",
    "cut windows",
    "cut beats",
    "cut rhythms",
    "other signal",
)
"""What is arithmetic over samples, and could be compiled."""
_ROWS: Final = sorted(
    ((place, stage) for stage, places in STAGES.items() for place in places),
    key=lambda row: -len(row[0]),
)


def stage_of(stack: Iterable[str], tree: str) -> str:
    """Return the stage of a stack: that of the innermost code of the tree that the table names.

    Parameters
    ----------
    stack : iterable of str
        ``path:function``, innermost first.
    tree : str
        Path of the checkout; paths of the table begin there.
    """
    for where in stack:
        place = where.removeprefix(f"{tree}/")
        for known, stage in _ROWS:
            if place.startswith(known) and (known[-1] == "/" or place[len(known) :][:1] in ":"):
                return stage
    return REST


def by_stage(rows: Iterable[SampledRow], tree: str) -> dict[str, dict[str, float]]:
    """Return seconds of CPU time by thread and stage of what `sampled` has written."""
    found: dict[str, Counter[str]] = {}
    for name, seconds, stack in rows:
        thread = THREADS.get(name, "others")
        found.setdefault(thread, Counter())[stage_of(stack, tree)] += seconds
    return {thread: dict(stages.most_common()) for thread, stages in found.items()}


def unattributed(rows: Iterable[SampledRow], tree: str) -> dict[str, float]:
    """Return seconds of CPU time of `REST`, by the innermost function of the tree, most first."""
    found: Counter[str] = Counter()
    for _, seconds, stack in rows:
        if stage_of(stack, tree) == REST:
            here = (where.removeprefix(f"{tree}/") for where in stack if where.startswith(tree))
            found[next(here, "none")] += seconds
    return dict(found.most_common())
