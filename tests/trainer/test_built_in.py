"""The built-in models match the README."""

from pathlib import Path

import pytest

import ecgmon
from ecgmon.models.bundle import Model
from trainer.data import splits
from trainer.data.people import people
from trainer.data.window_people import BLOCKED

FOLDER = Path(ecgmon.__file__).parent / "models" / "built_in"
HELD_OUT = {f"mitdb/{record}" for record in splits.HELD_OUT}


def test_the_generic_model_never_saw_the_demonstration_wearers():
    card = Model.load(FOLDER / "generic.onnx").card
    trained = {span.record for span in card.trained_on}
    chose = set(card.validation.records)
    assert len([name for name in trained | chose if name.startswith("mitdb/")]) == 40
    assert not (trained | chose) & HELD_OUT
    assert not trained & (chose | BLOCKED)
    choosers = {name for person in people() if person.chooses for name in person.records}
    assert not {name for name in trained if not name.startswith("mitdb/")} & choosers
    assert card.enrolment is None
    assert set(card.evaluation.records) == HELD_OUT


def test_the_figures_on_the_cards_are_of_windows_not_trained_on():
    """203's own model is judged on its record after the enrolment, the simulated one on none."""
    card = Model.load(FOLDER / "203.onnx").card
    assert card.evaluation.records == ("mitdb/203",)
    assert card.evaluation.confusion.total <= 1805 - splits.ENROLMENT_S
    assert Model.load(FOLDER / "simulated.onnx").card.evaluation is None


@pytest.mark.parametrize("wearer", ["203", "simulated"])
def test_a_wearers_own_model_saw_the_first_five_minutes_and_nothing_after(wearer):
    card = Model.load(FOLDER / f"{wearer}.onnx").card
    generic = Model.load(FOLDER / "generic.onnx").card
    own = [span for span in card.trained_on if span not in generic.trained_on]
    assert own == [card.enrolment]
    assert (card.enrolment.start, card.enrolment.stop) == (0, splits.ENROLMENT_S)
    assert card.wearer == wearer


def test_they_are_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.onnx")) < 2_000_000
