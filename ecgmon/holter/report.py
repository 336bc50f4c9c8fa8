"""The figures of totals for people: tables, as text and as one page of HTML."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from ecgmon.core.constants import RATE
from ecgmon.holter.figures import CLASSES, Figures
from ecgmon.holter.fold import PAUSE, RATE_OF
from ecgmon.pages import templates

WIDTH: Final = 100
"""Columns of the text."""
_CALLED: Final = {
    "N": "N normal",
    "S": "S supraventricular",
    "V": "V ventricular",
    "F": "F fusion",
    "Q": "Q other",
}
_TEMPLATES: Final = templates("ecgmon")


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table: a name in the first column of each row, and figures in the others."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


def as_text(of: Figures) -> str:
    """Return the tables as plain text."""
    text = io.StringIO()
    console = Console(file=text, width=WIDTH, color_system=None)
    for report in tables(of):
        shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        shown.add_column(report.title, no_wrap=True)
        for name in report.head:
            shown.add_column(name, justify="right")
        for row in report.rows:
            shown.add_row(*row)
        console.print(shown, markup=False)
        console.print()
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def as_html(of: Figures, title: str, about: str) -> str:
    """Return a page that needs nothing beside it.

    Parameters
    ----------
    of : Figures
        The figures.
    title : str
        Whose beats.
    about : str
        Where they come from.
    """
    return _TEMPLATES.get_template("holter.html.j2").render(
        title=title, about=about, tables=tables(of), rate_of=RATE_OF
    )


def tables(of: Figures) -> list[ReportTable]:
    """Return the tables of a report, in their order."""
    origins, fibrillation = (of["ventricular"], of["supraventricular"]), of["atrial_fibrillation"]
    return [
        ReportTable(
            "beats",
            ("count", "share", "per hour"),
            [
                *((_CALLED[name], *_counted(of["classes"][name])) for name in CLASSES),
                ("all", f"{of['beats']:,}", "", ""),
            ],
        ),
        ReportTable(
            "ectopic beats",
            ("ventricular", "supraventricular"),
            [
                ("beats", *(f"{each['beats']:,}" for each in origins)),
                ("per hour", *(_number(each["per_hour"]) for each in origins)),
                ("couplets", *(f"{each['couplets']:,}" for each in origins)),
                ("runs of 3 or more", *(f"{each['runs']:,}" for each in origins)),
                ("beats in runs", *(f"{each['run_beats']:,}" for each in origins)),
                ("longest run, beats", *(f"{each['longest_run'] or '-'}" for each in origins)),
                ("fastest run, /min", *(_number(each["fastest_run"]) for each in origins)),
            ],
        ),
        ReportTable(
            "rhythm",
            ("count", "time"),
            [
                *(
                    (f"ventricular {name}", f"{of[name]['episodes']:,}", _time(of[name]["seconds"]))
                    for name in ("bigeminy", "trigeminy")
                ),
                (
                    f"atrial fibrillation as alarmed, {_share(fibrillation['burden'])} of the time",
                    f"{fibrillation['episodes']:,}",
                    _time(fibrillation["seconds"]),
                ),
                ("R on T", f"{of['r_on_t']:,}", ""),
                (f"pauses of {PAUSE / RATE:g} s or more", f"{of['pauses']:,}", ""),
                ("longest RR interval", "", _number(of["longest_rr_s"], " s", 2)),
            ],
        ),
        ReportTable(
            "time",
            ("",),
            [
                ("analysed, from beat to beat", _time(of["analysed_s"])),
                ("signal", _time(of["signal_s"])),
                ("noisy", _time(of["noisy_s"])),
                ("absent", _time(of["absent_s"])),
                ("missing samples", _time(of["missing_s"])),
                ("beats withdrawn as noise", f"{of['withdrawn']:,}"),
            ],
        ),
        ReportTable(
            "hour",
            (
                "beats",
                "ventricular",
                "supraventr.",
                "slowest /min",
                "mean",
                "fastest",
                "analysed",
            ),
            list(_hours(of)),
        ),
    ]


def _hours(of: Figures) -> Iterable[tuple[str, ...]]:
    whole = {
        "hour": "all",
        "beats": of["beats"],
        "ventricular": of["ventricular"]["beats"],
        "supraventricular": of["supraventricular"]["beats"],
        "heart_rate": of["heart_rate"],
        "analysed_s": of["analysed_s"],
    }
    for hour in [*of["hours"], whole]:
        rate = hour["heart_rate"]
        counts = (f"{hour[name]:,}" for name in ("beats", "ventricular", "supraventricular"))
        rates = (_number(rate[name], digits=0) for name in ("slowest", "mean", "fastest"))
        yield (hour["hour"], *counts, *rates, _time(hour["analysed_s"]))


def _counted(one: Figures) -> tuple[str, str, str]:
    return f"{one['beats']:,}", _share(one["share"]), _number(one["per_hour"])


def _share(part: float | None) -> str:
    return "-" if part is None else f"{part:.2%}"


def _number(value: float | None, unit: str = "", digits: int = 1) -> str:
    return "-" if value is None else f"{value:,.{digits}f}{unit}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
