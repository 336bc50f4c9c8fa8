"""The page of ``make bench`` and ``make capacity``, from the files in docs/results/performance.

    python benchmarks/performance_page.py

A part that was not measured is left out.
"""

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import performance_targets as targets
from build_costs import PREFIX, THREADS
from capacity import MOST_MS
from measurements import FOLDER, stored
from performance_plots import delays, stages
from performance_targets import spread
from stage_table import INFERENCE, SIGNAL
from templated import template

PAGE: Final = FOLDER.with_suffix(".md")
Found = Mapping[str, Any]


def builds(found: Found) -> dict[str, Any]:
    """Return the tables of one comparison of builds."""
    counts = found["wearers"]
    return {
        "base": found["base"],
        "rows": [
            [wearers, name, *(spread(each[kind][name]) for kind in ("base", "here", "ratio"))]
            for wearers, each in counts.items()
            for name in THREADS
        ],
        "targets": targets.of_builds(found),
        "delays": [
            [
                wearers,
                "yes" if each["held"][kind] else "no",
                *(
                    f"{statistics.median(one.get(name, 0.0) for one in each['latency'][kind]):,.1f}"
                    for name in ("p50", "p95", "p99", "max")
                ),
            ]
            for wearers, each in counts.items()
            for kind in ("here",)
        ],
    } | _how(found)


def most(found: Found) -> dict[str, Any]:
    """Return the tables of `capacity`."""
    rounds = [one for one in found["rounds"] if "p99" in one["latency"]]
    rounds.sort(key=lambda one: (one["frames"], one["wearers"], one["asked_s"]))
    return {
        "targets": targets.of_capacity(
            {each["frames"]: found["most"].get(each["frames"], 0) for each in rounds}
        ),
        "rounds": [
            [
                one["frames"],
                f"{one['wearers']:,}",
                f"{one['seconds']:.0f}",
                *(f"{one['latency'][name]:,.1f}" for name in ("p50", "p95", "p99", "max")),
                f"{one['load']['unacknowledged'] + one['viewer']['lost']}",
                f"{one['cpu']['all']:,.0f}",
                f"{one['load']['cpu_us']:,.0f}",
                f"{one['load']['late_ms']['p99']:,.1f}",
                "yes" if one["met"] else "no",
            ]
            for one in rounds
        ],
        "most_ms": f"{MOST_MS:g}",
        "confirm_s": f"{found['confirm_s']:g}",
    } | _how(found)


def shared(found: Found) -> dict[str, Any]:
    """Return the tables of `worker_costs`."""
    counts = found["wearers"].items()
    return {
        "targets": targets.of_workers(found),
        "rows": [
            [wearers, name, *(spread(each[way][name]) for way in ("one", "two"))]
            for wearers, each in counts
            for name in THREADS
        ],
        "ways": [
            [
                wearers,
                text,
                "yes" if each["held"] else "no",
                f"{statistics.median(one.get('p50', 0.0) for one in each['latency'][way]):,.1f}",
                f"{statistics.median(one.get('p99', 0.0) for one in each['latency'][way]):,.1f}",
                spread(each["pss_mb"][way]),
                spread(each["load_cores"], 2),
            ]
            for wearers, each in counts
            for way, text in (("one", "one process"), ("two", "two workers"))
        ],
    } | _how(found)


def parts(found: Found) -> dict[str, Any]:
    """Return the tables of `stages`, for the largest count."""
    last = found["counts"][-1]
    rows = [
        [stage, thread, f"{cost:,.1f}"]
        for thread, costs in last["stages"].items()
        for stage, cost in costs.items()
    ]
    main = last["stages"]["main"]
    judged = main.get("judge windows", 0.0)
    inference, signal = (sum(main.get(name, 0.0) for name in of) for of in (INFERENCE, SIGNAL))
    total = sum(sum(costs.values()) for costs in last["stages"].values())
    return {
        "targets": targets.of_stages(inference, total - inference),
        "inference": f"{inference:,.0f}",
        "around": f"{(total - inference) / inference:.1f}" if inference else "none",
        "signal": f"{signal:,.0f}",
        "compiled": f"{total / (total - signal):.2f}",
        "wearers": last["wearers"],
        "rows": sorted(rows, key=lambda row: -float(row[2].replace(",", ""))),
        "sum": f"{total:,.0f}",
        "sampled": f"{last['sampled']['all']:,.0f}",
        "total": f"{last['total']['all']:,.0f}",
        "zeromq": f"{last['sampled']['ZeroMQ']:,.0f}",
        "sampler": f"{last['sampler']:,.0f}",
        "rest": ", ".join(f"`{where}` {cost:,.1f}" for where, cost in last["rest"].items()),
        "needed": f"{found['limit']['multiply_adds']:,}",
        "rate": f"{found['limit']['products_per_ns']:g}",
        "limit": f"{found['limit']['us']:g}",
        "fraction": f"{found['limit']['us'] / judged:.0%}" if judged else "none",
    } | _how(found)


def ways(found: Found, ours: float | None) -> dict[str, Any]:
    """Return the table of `others`; our own cost beside them, where it was measured."""
    return {
        "rows": [
            [name, spread(cost), f"{cost[0] / ours:,.1f}" if ours else ""]
            for name, cost in sorted(found["costs"].items(), key=lambda item: -item[1][0])
        ],
        "targets": targets.of_ways(found["costs"], ours) if ours else [],
        "versions": ", ".join(f"{name} {text}" for name, text in found["versions"].items()),
        "ours": f"{ours:,.0f}" if ours else "",
    } | _how(found)


def size(found: Found) -> dict[str, Any]:
    """Return the tables of `footprint`."""
    idle, one = found["idle"], found["one"]
    rounds = [each for each in found["rounds"] if "error" not in each]
    return {
        "targets": targets.of_size(found),
        "ready": spread(found["ready_s"]),
        "idle_mb": f"{idle['pss_mb']:,.1f}",
        "idle_ms": f"{idle['cpu_ms']:g}",
        "rows": [
            [
                f"{each['wearers']:,}",
                f"{each['pss_mb']:,.1f}",
                f"{(each['pss_mb'] - idle['pss_mb']) / each['wearers']:,.2f}",
                f"{each['load']['welcomed_s']:,.2f}",
            ]
            for each in rounds
        ],
        "share": f"{one['share']:.0%}",
        "free": f"{one['free']['cpu']['all'] / 1e6:.1%}",
        "bounded": one["bounded"],
    } | _how(found)


def page(folder: Path = FOLDER) -> str:
    """Draw the plots, and return the page."""
    names = ("capacity", "worker-costs", "stages", "others", "footprint")
    found = {name: stored(name) for name in names}
    compared = [stored(path.stem) for path in sorted(folder.glob(f"{PREFIX}*.json"))]
    ours = None
    if compared:
        largest = max(compared[0]["wearers"], key=int)
        ours = compared[0]["wearers"][largest]["here"]["all"][0]
    if rounds := [one for one in found["capacity"].get("rounds", ()) if "p99" in one["latency"]]:
        delays(rounds, MOST_MS, folder / "delays.png")
    if found["stages"]:
        of_main = found["stages"]["counts"][-1]["stages"]
        both = {f"{name}, disk": cost for name, cost in of_main.get("disk", {}).items()}
        stages(of_main["main"] | both, folder / "stages.png")
    return template("performance.md.j2").render(
        builds=[builds(each) for each in compared],
        most=most(found["capacity"]) if rounds else None,
        shared=shared(found["worker-costs"]) if found["worker-costs"] else None,
        parts=parts(found["stages"]) if found["stages"] else None,
        ways=ways(found["others"], ours) if found["others"] else None,
        size=size(found["footprint"]) if found["footprint"] else None,
    )


def _how(found: Found) -> dict[str, Any]:
    """Return where and at which commit a part was measured."""
    return {"measured": found["measured"]}


if __name__ == "__main__":
    PAGE.write_text(page())
