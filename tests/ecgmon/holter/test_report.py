"""Totals as people and programs read them."""

import json
from html.parser import HTMLParser

from ecgmon.holter.figures import figures, of_stream
from ecgmon.holter.fold import BeatFold
from ecgmon.holter.report import WIDTH, as_html, as_text
from ecgmon.holter.totals import BeatTotals

HOUR = 3600 * 360
EMPTY = figures(BeatTotals(), of_stream)


def some():
    """A beat a second, of which the second hour has the ectopic ones."""
    fold = BeatFold()
    for second, label in enumerate("N" * 3600 + "NNNVVNNVVVNNSNFQNNNVNVNV"):
        at = second * 360
        fold.beat(at, label, 360 if second else None, at // HOUR)
    fold.interrupt()
    return figures(fold.totals, of_stream)


class Words(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.rows, self.tags = [[]], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags |= {tag, *(name for name, _ in attrs)}
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data):
        if data.strip():
            self.rows[-1].append(data.strip())


def test_figures_are_json_with_known_names():
    found = json.loads(json.dumps(some()))
    assert found["beats"] == 3624
    assert found["ventricular"] == {
        "beats": 9,
        "share": round(9 / 3624, 6),
        "per_hour": round(9 * 3600 / 3623, 1),
        "couplets": 1,
        "runs": 1,
        "run_beats": 3,
        "longest_run": 3,
        "fastest_run": 60.0,
    }
    assert found["bigeminy"] == {"episodes": 1, "seconds": 5.0}
    assert found["atrial_fibrillation"] == {"episodes": 0, "seconds": 0.0, "burden": None}
    assert found["heart_rate"] == {"slowest": 60.0, "mean": 60.0, "fastest": 60.0}
    assert [(hour["hour"], hour["beats"], hour["ventricular"]) for hour in found["hours"]] == [
        ("0:00", 3600, 0),
        ("1:00", 24, 9),
    ]


def test_the_text_has_the_figures_in_rows():
    lines = [" ".join(line.split()) for line in as_text(some()).splitlines()]
    for line in (
        "V ventricular 8 0.22% 7.9",
        "couplets 1 0",
        "runs of 3 or more 1 0",
        "fastest run, /min 60.0 -",
        "ventricular bigeminy 1 0:00:05",
        "pauses of 2 s or more 0",
        "1:00 24 9 1 60 60 60 0:00:24",
        "all 3,624 9 1 60 60 60 1:00:23",
    ):
        assert line in lines
    assert max(map(len, as_text(some()).splitlines())) <= WIDTH


def test_nothing_known_can_be_shown():
    assert EMPTY["heart_rate"] == {"slowest": None, "mean": None, "fastest": None}
    assert "longest RR interval" in as_text(EMPTY)
    assert "longest RR interval" in as_html(EMPTY, "ann", "")


def test_the_page_has_the_same_figures_and_needs_nothing_beside_it():
    text = as_html(some(), "<script>ann", "from \0 & to")
    page = Words(text)
    lines = [" ".join(line.split()) for line in as_text(some()).splitlines() if line.strip()]
    rows = [" ".join(cells) for cells in page.rows[1:]]
    assert [row for row in rows if row in lines] == rows[:-1]
    assert len(rows) == len(lines)
    assert "&lt;script&gt;ann" in text
    assert "from ? &amp; to" in text
    assert not {"script", "link", "img", "src", "href", "onload"} & page.tags
    assert "default-src 'none'" in text


def test_the_burden_of_atrial_fibrillation_is_told():
    found = BeatTotals()
    found.seconds["signal"] = 7200
    found.fibrillation.episodes, found.fibrillation.samples = 3, 900 * 360
    of = figures(found, of_stream)
    assert of["atrial_fibrillation"] == {"episodes": 3, "seconds": 900.0, "burden": 0.125}
    words = "atrial fibrillation as alarmed, 12.50% of the time"
    (line,) = (line for line in as_text(of).splitlines() if line.startswith(words))
    assert line.split()[-2:] == ["3", "0:15:00"]
    assert [words, "3", "0:15:00"] in Words(as_html(of, "ann", "")).rows
