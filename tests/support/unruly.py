"""Frames as a bad radio delivers them: some twice, some late, some out of order."""

import random


def unruly(frames, seed=1, share=0.3, reach=5):
    """Repeat, swap or delay some frames; each comes at least once.

    Parameters
    ----------
    frames : sequence
        In order.
    seed : int
        Of all chance.
    share : float
        How many of them something happens to.
    reach : int
        How many others may come before one that is late, or before it comes again.

    Returns
    -------
    list
        In the order of arrival.
    """
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    arrivals = []
    for i, frame in enumerate(frames):
        what = chance.choice(("repeat", "swap", "delay")) if chance.random() < share else None
        # A frame at i + 1.5 comes after the next one.
        late = {"swap": 1.5, "delay": chance.randint(2, reach) + 0.5}.get(what, 0)
        arrivals.append((i + late, frame))
        if what == "repeat":
            arrivals.append((i + chance.randint(0, reach) + 0.5, frame))
    return [frame for _, frame in sorted(arrivals, key=lambda arrival: arrival[0])]
