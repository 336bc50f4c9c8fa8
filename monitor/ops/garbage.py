"""How often Python looks for objects that only refer to each other and that nobody uses."""

import gc
from typing import Final

NEW: Final = 20_000
"""More containers than were let go of, after which the new ones are looked at; 700 by default."""
YOUNG: Final = 20
"""Looks at the new ones until those that were left are looked at, too..."""
ALL: Final = 50
"""...and how many of these until all are: of 1,000 wearers a look at all takes 0.3 s, in which
everybody waits. By default there was one each second, and a fifth of the time went into it."""


def collect_rarely() -> None:
    """Let this process look rarely; what is no such circle is freed at once as ever.

    What there is by now, mostly of libraries, is never looked at: it would be a tenth of a second
    in each look at all.
    """
    gc.freeze()
    gc.set_threshold(NEW, YOUNG, ALL)
    gc.enable()
