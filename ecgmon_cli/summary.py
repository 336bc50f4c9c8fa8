"""The scoreboard as text, printed after a replay."""

from typing import Any

from ecgmon.holter.report import as_text

Result = dict[str, Any]


def summary(result: Result) -> str:
    """Return the figures of a replay in a few aligned lines."""
    rows = [
        ("record", f"{result['record']}, speed {result['speed']}"),
        ("model", f"{result['model']}, threshold {_n(result['threshold'], '.2f')}"),
        (
            "windows",
            f"{result['windows']} of one second: {result['classified']} classified, "
            f"{result['skipped']} skipped ({result['noisy']} noisy, {result['absent']} absent, "
            f"{result['unsettled']} after a start or a gap)",
        ),
        *_score(result),
        ("alarms", _alarms(result)),
        (
            "latency",
            f"median {_n(result['latency_ms_p50'], '.1f')} ms, "
            f"p99 {_n(result['latency_ms_p99'], '.1f')} ms, from the last sample the model needs; "
            f"that lies {_n(result['look_ahead_s'], '.1f')} s after the window (look-ahead)",
        ),
        (
            "samples",
            f"{result['samples_sent']:,} sent, {result['samples_received']:,} received, "
            f"{result['gaps']} gaps",
        ),
    ]
    if "mismatches" in result:
        rows.append(("truth", " ".join(result["mismatches"]) or "all alarms as expected"))
    text = "".join(f"{name:>9}  {text}\n" for name, text in rows)
    return text + (f"\n{as_text(result['totals'])}" if result["totals"] else "")


def _score(result: Result) -> list[tuple[str, str]]:
    if not result["annotated"]:
        return [("score", "none: the record has no annotations")]
    if not result["beat_classes"] and not result["scored"]:
        return [("score", "none: the annotations do not say which beats are normal")]
    if not result["scored"]:
        return [("score", "none: no scored window was played (enrolment minutes do not count)")]
    share = result["trained_on_share"]
    only = "" if result["beat_classes"] else "; no beats, for their classes are not annotated"
    return [
        (
            "score",
            f"balanced accuracy {_n(result['balanced_accuracy'], '.3f')}, "
            f"F1 {_n(result['f1'], '.3f')}, sensitivity {_n(result['sensitivity'], '.3f')}, "
            f"positive predictive value {_n(result['ppv'], '.3f')}",
        ),
        (
            "",
            f"{result['scored']} windows scored: TP {result['tp']}  FP {result['fp']}  "
            f"TN {result['tn']}  FN {result['fn']}{only}; "
            + (
                "what the model was trained on is not known here"
                if share is None
                else f"{100 * share:.0f} % of them in its training set"
            ),
        ),
    ]


def _alarms(result: Result) -> str:
    # A latched alarm that is raised again is no other one.
    kinds = {alarm["alarm"]: alarm["kind"] for alarm in result["alarms"]}
    raised = list(kinds.values())
    counts = ", ".join(f"{raised.count(kind)} {kind}" for kind in dict.fromkeys(raised)) or "none"
    if result["false_alarms_per_hour"] is None:
        return f"{counts} raised"
    return (
        f"{counts} raised; {result['false_alarms_per_hour']:.1f} false ones of abnormal beats or "
        "asystole per hour"
    )


def _n(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
