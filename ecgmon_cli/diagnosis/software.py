"""Checks of the installed packages, their versions and the models."""

import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import zmq

from ecgmon import __version__
from ecgmon.config import Config
from ecgmon.core.errors import UsageError
from ecgmon.models.beat_bundle import BeatModel
from ecgmon.models.bundle import Model
from ecgmon.models.resolve import GENERIC, resolve, stored
from ecgmon_cli.diagnosis.finding import Finding, ok, problem


def versions() -> Iterator[Finding]:
    """Say what runs here."""
    found = {
        "ecgmon": __version__,
        "Python": platform.python_version(),
        "libzmq": zmq.zmq_version(),
        "onnxruntime": version("onnxruntime"),
        "SQLite": sqlite3.sqlite_version,
    }
    yield ok("versions", ", ".join(f"{name} {number}" for name, number in found.items()))


def curve() -> Iterator[Finding]:
    """Tell whether connections can be encrypted."""
    if zmq.has("curve"):
        yield ok("curve", "connections from other machines can be encrypted")
    else:
        yield problem(
            "curve",
            "this libzmq cannot encrypt, so no other machine may connect",
            "install pyzmq's own wheel: pip install --force-reinstall --only-binary pyzmq pyzmq",
        )


def models(config: Config) -> Iterator[Finding]:
    """Load and run every model that may be asked to judge."""
    name = config.models.model or None
    wearers = [] if name else stored().wearers()
    for wearer in [None, *wearers]:
        what = f"{wearer}'s own" if wearer else name or GENERIC
        try:
            text = _judges(resolve(name, wearer))
        except UsageError as error:
            command = f"ecgmon models rollback {wearer}" if wearer else "ecgmon models show"
            yield problem("models", f"{what} cannot serve: {error}", f"see {command}")
        else:
            yield ok("models", f"{what}: {text}")
    for wearer in stored().wearers():
        try:
            beats = stored().in_service(wearer, "beat")
            text = _judges_beats(beats) if beats else ""
        except UsageError as error:
            command = f"see ecgmon models rollback {wearer} --beats"
            yield problem("models", f"{wearer}'s own of beats cannot serve: {error}", command)
        else:
            if text:
                yield ok("models", f"{wearer}'s own of beats: {text}")


def _judges_beats(path: Path) -> str:
    """Return what a model of beats is called, once it has judged a beat without signal."""
    model = BeatModel.load(path)
    model.require_live(path)
    silence = np.zeros((1, model.card.length), dtype=np.float32)
    called = model.card.classes[int(model.probability(silence)[0].argmax())]
    return f"{model.card.name} runs, and calls silence {called}"


def _judges(path: Path) -> str:
    """Return what a model is called, once it has judged a silent second."""
    model = Model.load(path)
    silence = np.zeros((1, model.card.geometry.inputs), dtype=np.float32)
    probability = float(model.probability(silence)[0])
    return f"{model.card.name} runs; probability of abnormal for a silent second {probability:.2f}"
