"""Study 2's second stage: its network of everybody's windows, fitted to each of the 29 wearers."""

from ecgmon.metrics.classes import confusion
from trainer.data.examples import Examples
from trainer.evaluation.studies.parts import Parts
from trainer.evaluation.studies.run import Counts, SystemResult
from trainer.recipes import pictures
from trainer.training.recipe import Checkpoints, Task, class_probabilities


def fine_tuned(examples: Examples, part: Parts, seed: int, shelf: Checkpoints) -> SystemResult:
    """Fit the network to each wearer's training windows, and judge it on the test windows.

    Unlike an adaptation to five minutes, it has windows of the wearer to choose with.
    """
    start = pictures.generic(Task(examples[part.training], examples[part.validation], seed, shelf))
    test = examples[part.test]
    counts: Counts = {}
    for wearer, (own, choosing) in part.own.items():
        scored = test[test.wearers == wearer]
        task = Task(examples[own], examples[choosing], seed, shelf)
        network = pictures.fine_tuned(task, wearer, start)
        called = class_probabilities(network, scored.inputs).argmax(1)
        counts[wearer] = confusion(scored.labels, called, len(examples.classes)).tolist()
    return SystemResult("generic", "fine-tuned", examples.classes, counts)
