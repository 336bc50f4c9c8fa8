"""Cards of models of beats that do not hold together, though their checksums are right."""

import msgspec
import pytest

from ecgmon.core.errors import BundleError
from ecgmon.models.beat_bundle import BeatCard, BeatModel
from ecgmon.models.bundle import checksum, metadata
from ecgmon.models.card import JudgedClasses

JUDGED = JudgedClasses("strangers", ("mitdb/203",), ((8, 1), (2, 9)))
CARD = {
    "input": "beat",
    "name": "focal",
    "network": "focal",
    "parameters": 100,
    "wearer": None,
    "trained_on": [{"record": "mitdb/100", "start": 0, "stop": 60}],
    "seed": 1,
    "versions": {},
    "created": "2026",
    "classes": ["N", "V"],
    "segments": "live",
    "channels": 5,
    "length": 187,
    "rate": 125,
    "beats": [70, 8],
    "validation": msgspec.to_builtins(JUDGED),
    "evaluation": msgspec.to_builtins(JUDGED),
}


def counted(*counts):
    return msgspec.to_builtins(JUDGED) | {"counts": counts}


def test_a_card_of_beats_that_holds_together_is_read():
    assert msgspec.convert(CARD, BeatCard).evaluation == JUDGED


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"classes": ["N", "S", "V"]}, "does not count by its 3 classes"),
        ({"classes": [], "beats": [], "validation": counted(), "evaluation": counted()}, "no beat"),
        ({"beats": [70]}, "does not count by its 2 classes"),
        ({"validation": counted([8, 1])}, "does not count by its 2 classes"),
        ({"evaluation": counted([8, 1], [2])}, "does not count by its 2 classes"),
        ({"evaluation": counted([0, 0], [0, 0])}, "judged on no beat"),
        ({"evaluation": counted([-8, 1], [2, 9])}, ">= 0"),
        ({"beats": [70, 10**400]}, "<="),
        ({"trained_on": [{"record": "x", "start": 0, "stop": 10**400}]}, "<="),
        ({"segments": "whole"}, "segments"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused_in_one_sentence(tmp_path, changes, why):
    text = msgspec.json.encode(CARD | changes)
    path = tmp_path / "m.onnx"
    path.write_bytes(metadata(text, checksum(b"", text)))
    with pytest.raises(BundleError, match="has a model card that cannot be read: ") as caught:
        BeatModel.load(path)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
