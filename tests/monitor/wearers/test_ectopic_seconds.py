"""A second that holds a beat which the model of beats calls ectopic is abnormal."""

from dataclasses import replace

import pytest

from ecgmon.core.constants import RATE
from ecgmon.core.labels import ECTOPIC
from ecgmon.models.card import Card
from ecgmon.models.resolve import GENERIC_BEATS, built_in
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.signal import Second
from ecgmon.wire import Frame, messages
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.recent_beats import RecentBeats
from monitor.wearers.registry import WearerRegistry
from monitor.wearers.rhythms import SURE_ALONE
from tests.support.beat_bundles import of_wearer
from tests.support.rig import GENERIC


def judged(_):
    return built_in()[GENERIC_BEATS]


@pytest.fixture(scope="module")
def unsuspecting(tmp_path_factory):
    """A model of windows that calls nearly everything normal."""
    path = tmp_path_factory.mktemp("models") / "unsuspecting.onnx"
    return of_wearer(GENERIC, path, None, Card, threshold=0.99)


@pytest.fixture(scope="module")
def suspecting(tmp_path_factory):
    """A model of windows that calls nearly everything abnormal."""
    path = tmp_path_factory.mktemp("models") / "suspecting.onnx"
    return of_wearer(GENERIC, path, None, Card, threshold=0.001)


def published(record, model, beats, cut=360):
    """Return windows and beats by their samples; frames are ``cut`` samples long."""
    registry = WearerRegistry(WearerPolicy(lambda _: model, resolve_beats=beats))
    hello = messages.Hello(wearer="ann", stream=f"{7:016x}", rate=360.0, leads=["II"])
    stream = registry.open(hello, None, 0.0)[0].stream
    found = []
    for at in range(0, len(record.samples), cut):
        part = record.samples[at : at + cut]
        stream.accept(Frame(7, at, 0, 360_000, record.gain, "II", part), 0.0)
        found += registry.advance(lambda _: False)
    windows = {one.first: one for one in found if isinstance(one, messages.Window)}
    return windows, {one.at: one for one in found if isinstance(one, messages.Beat)}


@pytest.fixture(scope="module")
def stranger(mitdb):
    """Two minutes of 208, which no model was trained on: every other beat is ventricular."""
    record = read(obtain("208"))
    return replace(record, samples=record.samples[: 120 * RATE], annotations=None)


def test_every_second_with_an_ectopic_beat_is_abnormal(stranger, unsuspecting):
    alone, _ = published(stranger, unsuspecting, lambda _: None)
    windows, beats = published(stranger, unsuspecting, judged)
    changed = 0
    for first, window in windows.items():
        ectopic = [
            beat.probability
            for at, beat in beats.items()
            if first <= at < first + RATE and beat.label in ECTOPIC
        ]
        before = alone[first]
        if before.abnormal is False and ectopic:
            assert window.abnormal is True
            assert window.probability == max(ectopic)
            changed += 1
        else:
            assert window == before
    assert changed >= 10


@pytest.mark.parametrize("cut", [7, 100, 5000])
def test_it_does_not_matter_how_the_signal_is_cut(stranger, unsuspecting, cut):
    at_once = published(stranger, unsuspecting, judged)
    assert published(stranger, unsuspecting, judged, cut) == at_once


def test_a_second_of_normal_beats_is_normal_unless_the_model_of_windows_is_sure(
    stranger, suspecting
):
    alone, _ = published(stranger, suspecting, lambda _: None)
    windows, beats = published(stranger, suspecting, judged)
    changed = 0
    for first, window in windows.items():
        labels = {beat.label for at, beat in beats.items() if first <= at < first + RATE}
        before = alone[first]
        if before.abnormal and labels == {"N"} and before.probability < SURE_ALONE:
            changed += window.abnormal is False
        else:
            assert window.abnormal == before.abnormal
    assert changed >= 10


def test_an_own_model_of_windows_is_not_overruled_by_normal_beats(stranger, suspecting, tmp_path):
    own = of_wearer(suspecting, tmp_path / "own.onnx", "ann", Card)
    assert abnormal(published(stranger, own, judged)) == abnormal(
        published(stranger, own, lambda _: None)
    )


def abnormal(found):
    windows, _ = found
    return [window.abnormal for window in windows.values()]


def test_the_most_probable_ectopic_beat_of_a_second_counts():
    beats = RecentBeats()
    for at, label, probability in (
        (100, "V", 0.9),
        (360, "S", 0.5),
        (719, "F", 0.7),
        (720, "V", 0.8),
    ):
        beats.name(at, label, probability)
    assert beats.ectopic(360, 720) == pytest.approx(0.7)
    assert beats.ectopic(1000, 2000) is None
    assert beats.ectopic(0, 720) == pytest.approx(0.9)


def test_beats_are_all_normal_only_if_each_has_a_class():
    beats = RecentBeats()
    beats.second(Second(0, 360, "signal", (50, 300), weak=(300,)))
    assert beats.all_normal(0, 360) is None
    beats.name(50, "N", 0.9)
    assert beats.all_normal(0, 360) == pytest.approx(0.1)
    beats.second(Second(0, 720, "signal", (400, 600)))
    beats.name(400, "N", 0.8)
    assert beats.all_normal(360, 720) is None
    beats.name(600, "N", 0.7)
    assert beats.all_normal(360, 720) == pytest.approx(0.3)
    beats.name(650, "Q", 0.7)
    assert beats.all_normal(360, 720) is None
