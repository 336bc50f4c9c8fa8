"""The report that shows whether an enrolment's model can be trusted."""

import re
from copy import copy
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import numpy as np
import pytest
from matplotlib.figure import Figure

from ecgmon.core.constants import NO_VALUE, RATE
from ecgmon.core.labels import ABNORMAL, NORMAL, UNLABELLED
from ecgmon.metrics.two_classes import Confusion
from ecgmon.models.bundle import Model
from ecgmon.models.card import ScoredSpan, Validation
from replay.simulator.simulation import simulate
from tests.support.bundles import write_bundle
from trainer.enrolment import timeline as course
from trainer.enrolment.enrolled import Enrolled
from trainer.enrolment.gate import Verdict
from trainer.enrolment.labelled import beat_labels, labelled
from trainer.enrolment.report import page
from trainer.enrolment.signal import take
from trainer.networks.window_networks import BeatNet

SECONDS = 180
GOOD = Confusion(tp=11, fp=2, tn=43, fn=3)
WORSE = Confusion(tp=9, fp=4, tn=41, fn=5)
PANEL = Confusion(tp=379, fn=21)
HOSTILE = "<script>alert('$\\frac{')</script>\"><img src=http://a.b/ onload=x>&\u202e\0\ud800"


@pytest.fixture(scope="module")
def record():
    """A simulated wearer with some seconds off the lead and some full of noise."""
    played = simulate("premature", duration_s=SECONDS + 3).record
    samples = played.samples.copy()
    samples[20 * RATE : 26 * RATE] = NO_VALUE
    noise = np.random.default_rng(1).normal(0, 400, 4 * RATE)
    samples[50 * RATE : 54 * RATE] += noise.astype(np.int16)
    return replace(played, samples=samples)


@pytest.fixture(scope="module")
def done(record, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    sees = {"history_s": 3.0, "look_ahead_s": 0.5, "rate": 120}
    new, old = (
        Model.load(write_bundle(folder / name, name=name, level=level, wearer="ann", **sees))
        for name, level in (("ann-own", 0.2), ("generic-one", 0.4))
    )
    signal = take(record, BeatNet, SECONDS)
    own = ScoredSpan(signal.record.record, 0, SECONDS)
    new.card = msgspec.structs.replace(
        new.card,
        parameters=12345,
        threshold=0.35,
        trained_on=(ScoredSpan("mitdb/101", 0, 1800), ScoredSpan("mitdb/106", 0, 1800), own),
        enrolment=own,
        windows=131,
        abnormal_windows=42,
        seed=77,
        versions={"torch": "9.8.7"},
        created="2031-02-03",
        validation=Validation("last minute", (own.record,), 11, 2, 43, 3),
    )
    return Enrolled(
        version=3,
        in_service=True,
        signal=signal,
        new=new,
        old=old,
        verdict=Verdict(GOOD, WORSE, PANEL, PANEL),
        report=Path("a.html"),
    )


def with_card(model, **changes):
    """The same model with another card."""
    changed = copy(model)
    changed.card = msgspec.structs.replace(model.card, **changes)
    return changed


class Page(HTMLParser):
    """A strict parser of a page; it fails where a browser would have to guess."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.text, self.ids = [], [], "", []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += re.sub(r"\s+", " ", data)


def test_the_page_holds_every_figure(done):
    shown = Page(page(done)).text
    counts = done.counts()
    assert min(counts.values()) > 0
    assert counts["noisy"] == 5  # the last of them because the beats before it were noise
    without = SECONDS - counts["normal"] - counts["abnormal"]
    for text in (
        "ann: version 3 is in service",
        "generic-one served before. Nothing in the comparison below speaks against",
        done.summary(),
        "last minute, normal454 (8.9%)2 (4.4%)",
        "last minute, abnormal145 (35.7%)3 (21.4%)",
        "panel, abnormal40021 (5.2%)21 (5.2%)",
        f"{counts['usable']} s usable, 5 s noisy, {counts['absent']} s without signal",
        f"{counts['normal']} s normal, {counts['abnormal']} s abnormal, {without} s without label",
        "the record's annotations",
        "before 0.10, now 0.35",
        "none, 12,345 parameters",
        "2 records of other wearers, 1.0 hours",
        "simulated/premature, 0 to 180 s: 131 labelled seconds, 42 abnormal",
        "3 s of history, the second it judges, and 0.5 s after it",
        "seed77",
        "2031-02-03",
        "torch 9.8.7",
        done.new.sha256,
    ):
        assert text.replace("\n", "") in shown.replace("\n", ""), text


def test_the_page_needs_nothing_and_may_fetch_nothing(done):
    html = page(done)
    parsed = Page(html)
    policy = next(a["content"] for t, a in parsed.tags if a.get("http-equiv") is not None)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    without_policy = html.replace("http-equiv", "")
    for outside in ("http", "//", "src=", "@import", "javascript:", "<script", "<link", "<!ENTITY"):
        assert outside not in without_policy, outside
    assert {found[:1] for found in re.findall(r"(?:url\(|href=\")(.)", html)} == {"#"}
    drawn = [attrs for tag, attrs in parsed.tags if tag == "svg"]
    assert len(drawn) == 2
    assert all(attrs["aria-label"] and "width" not in attrs for attrs in drawn)
    assert len(set(parsed.ids)) == len(parsed.ids)


def test_the_same_enrolment_gives_the_same_bytes(done):
    assert page(done).encode() == page(done).encode()


def test_text_from_outside_is_shown_and_never_executed(done):
    signal = replace(done.signal, record=replace(done.signal.record, record=HOSTILE))
    changes = dict.fromkeys(("wearer", "name", "network", "created"), HOSTILE)
    new = with_card(done.new, **changes, versions={HOSTILE: HOSTILE})
    old = with_card(done.old, **changes)
    html = page(replace(done, signal=signal, new=new, old=old))
    html.encode()
    parsed = Page(html)
    assert not {tag for tag, _ in parsed.tags} & {"script", "img"}
    assert not [name for _, attrs in parsed.tags for name in attrs if name.startswith("on")]
    assert parsed.text.count("<script>alert('$\\frac{')</script>") >= 7
    assert "\u202e" not in html
    assert "\0" not in html


def test_a_text_from_outside_cannot_fill_the_page(done):
    long = with_card(done.new, created="x" * 100_000)
    assert len(page(replace(done, new=long))) < len(page(done)) + 1000


@pytest.mark.parametrize(
    ("in_service", "verdict", "sentences"),
    [
        (True, Verdict(GOOD, GOOD, PANEL, PANEL), ["version 3 is in service generic-one served"]),
        (
            False,
            Verdict(WORSE, GOOD, PANEL, PANEL),
            ["is kept, not in service", "generic-one stays in service", "it is right in 77.7%"],
        ),
        (
            True,
            Verdict(WORSE, GOOD, PANEL, PANEL, knows_less=True),
            ["is in service, by force", "generic-one served", "knows no abnormal beat of this"],
        ),
        (
            True,
            Verdict(Confusion(tn=50, fp=1), None, PANEL, PANEL),
            [
                "last minute, normal51not judged1 (2.0%)",
                "generic-one was fitted to the last minute, so it is not judged on it.",
                "whether the new model finds this wearer's abnormal beats is not known",
            ],
        ),
    ],
)
def test_the_headline_says_what_serves_and_what_speaks_against_it(
    done, in_service, verdict, sentences
):
    shown = Page(page(replace(done, in_service=in_service, verdict=verdict))).text
    for text in sentences:
        assert text in re.sub(r"\s+", " ", shown), text
    assert ("by force" in shown) == (in_service and bool(verdict.objections))
    assert ("is not known" in shown) == (verdict.minute_new.fn + verdict.minute_new.tp == 0)


def test_the_page_says_where_the_labels_come_from(done):
    reviewed = replace(done, new=with_card(done.new, labels="review"), judged=20)
    beats = len(done.signal.beats)
    assert f"judgement of 20 of {beats} beats" in Page(page(reviewed)).text
    nothing = np.full(beats, NORMAL, dtype=np.int8)
    signal = replace(done.signal, record=labelled(done.signal, nothing))
    new = with_card(done.new, labels="assumed normal")
    assumed = Page(page(replace(done, new=new, signal=signal))).text
    assert "every beat is assumed to be normal" in assumed
    assert "That the last minute is normal is assumed, not known" in assumed
    assert f"normal: {beats} beats" in assumed
    assert "abnormal: 0 beats" in assumed


def test_a_model_is_not_asked_about_what_cannot_be_used(done):
    probability = done.probability(done.new)
    assert np.array_equal(np.isnan(probability), ~done.signal.usable)
    inputs = done.signal.record.inputs[:SECONDS][done.signal.usable]
    assert np.array_equal(probability[done.signal.usable], done.new.probability(inputs))


def test_a_cross_is_over_every_second_that_a_model_calls_otherwise(done, monkeypatch):
    monkeypatch.setattr(course, "ROW_S", 100)  # so that the second plot starts later
    probability = np.linspace(0, 1, SECONDS, dtype=np.float32)
    probability[done.signal.state != 0] = np.nan
    labels = done.signal.record.labels[:SECONDS]
    crossed = []
    for start in (0, 100):
        figure = Figure()
        course.draw(figure, done, probability, probability, start)
        (crosses,) = [line for line in figure.axes[2].lines if line.get_marker() == "x"]
        crossed += crosses.get_xdata().tolist()
        lower, upper = figure.axes[2].get_xlim()
        assert (lower, upper) == (start, start + 100)
    wrong = (
        ((probability >= 0.35) != (labels == ABNORMAL))
        & (labels != UNLABELLED)
        & np.isfinite(probability)
    )
    assert crossed == (np.flatnonzero(wrong) + 0.5).tolist()


def test_beats_are_marked_by_class_as_they_were_annotated(done, record):
    found, labels = done.signal.beats, beat_labels(done.signal)
    truth = record.annotations
    distance = np.abs(truth.samples[:, None] - found)
    abnormal = np.array([symbol != "N" for symbol in truth.symbols])[distance.argmin(axis=0)]
    near, far = distance.min(axis=0) < 0.1 * RATE, distance.min(axis=0) > 0.2 * RATE
    assert not (far & (labels != UNLABELLED)).any()
    assert np.array_equal(labels[near] == ABNORMAL, abnormal[near])
    assert set(labels[near].tolist()) == {NORMAL, ABNORMAL}


@pytest.mark.parametrize("seed", range(5))
def test_labels_of_beats_survive_the_way_through_a_record_set(done, seed):
    choice = np.array([NORMAL, ABNORMAL, UNLABELLED], dtype=np.int8)
    labels = np.random.default_rng(seed).choice(choice, len(done.signal.beats))
    again = replace(done.signal, record=labelled(done.signal, labels))
    assert np.array_equal(beat_labels(again), labels)


@pytest.mark.parametrize("label", [NORMAL, UNLABELLED])
def test_one_labelled_beat_or_none_are_enough(done, label):
    labels = np.full(len(done.signal.beats), UNLABELLED, dtype=np.int8)
    labels[7] = label
    signal = replace(done.signal, record=labelled(done.signal, labels))
    assert np.array_equal(beat_labels(signal), labels)
    assert f"normal: {int(label == NORMAL)} beats" in Page(page(replace(done, signal=signal))).text
