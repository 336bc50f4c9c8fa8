"""Enrolments of a few steps of training, on records of a simulated wearer."""

from dataclasses import replace

import wfdb

from ecgmon.core.constants import RATE
from trainer.enrolment import service
from trainer.training import window_trainings


def shorten(monkeypatch, prepared):
    """Train for a few steps; all other wearers are one whose record set is given."""

    def load(names, _network, _data, progress=lambda _: None):
        for name in names:
            progress(name)
        return [replace(prepared, record=name, wearer=name) for name in names]

    recipe = window_trainings.TRAININGS["beatnet"]
    short = replace(recipe, own=3, rehearsal=1, patient=replace(recipe.patient, steps=3))
    monkeypatch.setattr(window_trainings, "TRAININGS", {"beatnet": short})
    monkeypatch.setattr(service, "load", load)
    monkeypatch.setattr("trainer.data.noise.load", lambda *_: [])


def write(folder, name, samples, rate=RATE, annotations=None):
    """Write a WFDB record of simulated samples and return its path."""
    wfdb.wrsamp(
        name, rate, ["mV"], ["II"], d_signal=samples[:, None], fmt=["16"],
        adc_gain=[200], baseline=[0], write_dir=str(folder),
    )  # fmt: skip
    if annotations is not None:
        wfdb.wrann(
            name, "atr", annotations.samples, list(annotations.symbols), write_dir=str(folder)
        )
    return str(folder / name)
