"""Bundles of beat models that were exported by the trainer, with random weights or from another."""

from pathlib import Path

import msgspec
import numpy as np

import ecgmon.models
from ecgmon.models.beat_bundle import BeatCard
from ecgmon.models.beat_layers import DENSE, LAST
from ecgmon.models.bundle import checksum, metadata, verify
from ecgmon.signal.beat_segments import LENGTH

BUILT_IN = Path(ecgmon.models.__file__).parent / "built_in"
CLASSES = ("N", "S", "V", "F", "Q")


def export_random(path, *, seed=1, wearer=None, channels=5, segments="live"):
    """Export a small network of the recipe of beats, with random weights, and return the path."""
    import torch

    from trainer.data.examples import Examples
    from trainer.recipes.context import ContextNet
    from trainer.training.recipe_export import TrainedRecipe, export_beats

    rng = np.random.default_rng(seed)
    n = 4 * len(CLASSES)
    some = Examples(
        rng.normal(size=(n, channels, LENGTH)).astype(np.float32),
        np.resize(np.arange(len(CLASSES), dtype=np.int8), n),
        np.full(n, "100"),
        np.arange(n) * 300,
        CLASSES,
    )
    torch.manual_seed(seed)
    network = ContextNet(channels, LENGTH, len(CLASSES)).eval()
    with torch.no_grad():  # far from the uniform, so that all classes are called
        network.output[-1].weight *= 20
    trained = TrainedRecipe("context", network, some, some, some, {"100": "mitdb/100"}, seed)
    export_beats(trained, segments, path)
    return of_wearer(path, path, wearer) if wearer else path


def of_wearer(source, path, wearer, kind=BeatCard, **changes):
    """Write the same model as one of a wearer, or with other words in its card."""
    data = source.read_bytes()
    card, _ = verify(source, data, kind)
    text = msgspec.json.encode(msgspec.structs.replace(card, wearer=wearer, **changes))
    graph = data[: card.graph_bytes]
    path.write_bytes(graph + metadata(text, checksum(graph, text)))
    return path


def train_generic(path, data):
    """Train the recipe of beats on two records of mitdb, as ``ecgmon train`` does: a minute."""
    from trainer.data.recipe_data import load_examples
    from trainer.recipes import recipe
    from trainer.training.recipe import Checkpoints, Task
    from trainer.training.recipe_export import TrainedRecipe, export_beats

    names = (["mitdb/106", "mitdb/119"], ["mitdb/223"], ["mitdb/109"])
    sets = [load_examples("live", list(each), data, lambda _: None) for each in names]
    (training, _), (validation, _), (evaluation, _) = sets
    network = recipe("context").systems["context"](Task(training, validation, 1, Checkpoints(None)))
    records = {wearer: record for _, of in sets for wearer, record in of.items()}
    trained = TrainedRecipe("context", network, training, validation, evaluation, records, 1)
    export_beats(trained, "live", path)
    return path


def another_own(path, wearer, *, seed=1, everything=False):
    """Write the built-in model as a wearer's own, its own layers changed at random, or all."""
    import onnx

    own = (*(name for name, _, _ in DENSE), LAST, "prior")
    source = BUILT_IN / "beats.onnx"
    data = source.read_bytes()
    card, _ = verify(source, data, BeatCard)
    model = onnx.load_from_string(data[: card.graph_bytes])
    rng = np.random.default_rng(seed)
    for each in model.graph.initializer:
        name = each.name.removeprefix("network.")
        if name != each.name and (everything or name.startswith(own)):
            weights = onnx.numpy_helper.to_array(each)
            changed = (weights * (1 + rng.normal(0, 0.1, weights.shape))).astype(np.float32)
            each.CopyFrom(onnx.numpy_helper.from_array(changed, each.name))
    graph = model.SerializeToString()
    changed = msgspec.structs.replace(card, wearer=wearer, graph_bytes=len(graph))
    text = msgspec.json.encode(changed)
    path.write_bytes(graph + metadata(text, checksum(graph, text)))
    return path
