import numpy as np
import pytest
import wfdb

from ecgmon.core.annotations import Annotations
from ecgmon.core.labels import (
    AAMI_CLASSES,
    ABNORMAL,
    NORMAL,
    UNLABELLED,
    is_abnormal,
    is_beat,
    window_labels,
)
from ecgmon.records.read import read
from ecgmon.records.record import Found
from trainer.data.splits import STUDY

# Windows of one second that study 1 keeps, and how many of them are abnormal. Counted from the
# annotation files alone: a second counts if it has annotations and every one is a beat symbol.
STUDY_WINDOWS = {
    "100": (1804, 34),
    "102": (1800, 1723),
    "104": (1725, 1626),
    "105": (1689, 44),
    "106": (1632, 438),
    "108": (1655, 13),
    "114": (1730, 55),
    "116": (1796, 108),
    "119": (1572, 395),
    "200": (1606, 715),
    "201": (1521, 299),
    "202": (1677, 66),
    "203": (1676, 325),
    "205": (1791, 52),
    "208": (1721, 1064),
    "209": (1758, 212),
    "210": (1768, 199),
    "212": (1791, 1186),
    "213": (1762, 563),
    "215": (1769, 147),
    "217": (1734, 1594),
    "219": (1594, 68),
    "220": (1784, 68),
    "221": (1722, 377),
    "222": (1632, 327),
    "223": (1768, 465),
    "228": (1672, 332),
    "231": (1363, 1154),
    "233": (1732, 761),
}


def test_the_expected_table_is_the_studys():
    assert tuple(STUDY_WINDOWS) == STUDY
    assert sum(windows for windows, _ in STUDY_WINDOWS.values()) == 49_244


@pytest.mark.parametrize("name", STUDY)
def test_the_windows_of_study_1_are_reproduced(mitdb, name):
    annotations = read(Found(name, name, mitdb / name)).annotations
    labels = window_labels(annotations, 650_000, 360)
    assert len(labels) == 1805
    labelled = labels != UNLABELLED
    assert (labelled.sum(), (labels == ABNORMAL).sum()) == STUDY_WINDOWS[name]


def annotations(*events):
    samples, symbols = zip(*events, strict=True) if events else ((), ())
    return Annotations(np.array(samples, dtype=np.int64), tuple(symbols))


def label(*events, n=360, window=360):
    return window_labels(annotations(*events), n, window).tolist()


def test_a_window_of_normal_beats_is_normal():
    assert label((10, "N")) == [NORMAL]
    assert label((0, "N"), (359, "N")) == [NORMAL]


@pytest.mark.parametrize("symbol", [s for s in AAMI_CLASSES if s != "N"])
def test_one_other_beat_makes_it_abnormal(symbol):
    assert label((10, "N"), (300, symbol)) == [ABNORMAL]
    assert label((10, symbol), (300, "N")) == [ABNORMAL]
    assert label((10, symbol)) == [ABNORMAL]


def test_a_window_without_annotations_has_no_label():
    assert label() == [UNLABELLED]
    assert label((400, "N"), n=1080) == [UNLABELLED, NORMAL, UNLABELLED]


@pytest.mark.parametrize("symbol", ["+", "~", "|", '"', "[", "!", "]", "x", "(", "p", "t", "u"])
def test_a_mark_that_is_no_beat_takes_the_label_away_whatever_else_is_there(symbol):
    assert label((10, symbol)) == [UNLABELLED]
    assert label((10, symbol), (300, "N")) == [UNLABELLED]
    assert label((10, "N"), (300, symbol)) == [UNLABELLED]
    assert label((10, "V"), (300, symbol), (310, "V")) == [UNLABELLED]


def test_an_annotation_belongs_to_the_window_that_holds_its_sample():
    assert label((359, "V"), (360, "N"), (719, "N"), (720, "V"), n=1080) == [1, 0, 1]


def test_a_last_partial_window_is_left_out():
    assert label((10, "N"), (365, "V"), n=719) == [NORMAL]
    assert label((10, "N"), (365, "V"), n=720) == [NORMAL, ABNORMAL]
    assert label((10, "N"), n=359) == []


def test_windows_may_have_another_length():
    assert label((0, "N"), (100, "V"), (250, "N"), n=300, window=100) == [0, 1, 0]


def test_labels_are_small_integers():
    assert window_labels(annotations((1, "N")), 360, 360).dtype == np.int8


def test_every_beat_symbol_of_wfdb_has_its_aami_class():
    assert {
        aami: "".join(s for s in AAMI_CLASSES if AAMI_CLASSES[s] == aami) for aami in "NSVFQ"
    } == {
        "N": "NLRBejn",
        "S": "AaJS",
        "V": "VEr",
        "F": "F",
        "Q": "/fQ?",
    }
    beats = wfdb.io.annotation.is_qrs
    marks = wfdb.io.annotation.ann_label_table
    for code, symbol in zip(marks["label_store"], marks["symbol"], strict=True):
        if beats[code]:
            assert symbol in AAMI_CLASSES or symbol == "!", symbol


def test_beats_and_abnormal_beats_are_separated_from_other_marks():
    some = annotations(*enumerate("NL+V~?N|"))
    assert is_beat(some).tolist() == [True, True, False, True, False, True, True, False]
    assert is_abnormal(some).tolist() == [False, True, False, True, False, True, False, False]
    for empty in (is_beat(annotations()), is_abnormal(annotations())):
        assert empty.dtype == bool
        assert empty.shape == (0,)


def test_the_aami_classes_of_the_44_records_are_as_many_as_are_reported(mitdb):
    paced = {"102", "104", "107", "217"}
    counts = dict.fromkeys("NSVFQ", 0)
    for path in sorted(mitdb.glob("*.atr")):
        if path.stem in paced:
            continue
        symbols = wfdb.rdann(str(path.with_suffix("")), "atr").symbol
        for symbol in symbols:
            if symbol in AAMI_CLASSES:
                counts[AAMI_CLASSES[symbol]] += 1
    assert counts == {"N": 90_125, "S": 2_781, "V": 7_009, "F": 803, "Q": 15}
