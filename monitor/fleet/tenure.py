"""The time in which a monitor owns a partition: what its threads say of it, and what is saved."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ecgmon.wire import messages
from monitor.fleet import names, states
from monitor.fleet.fence import Fence
from monitor.fleet.portions import Portion
from monitor.fleet.results import ResultsQueue
from monitor.fleet.states import PartitionPosition, WearerRecord

if TYPE_CHECKING:
    from nats.aio.msg import Msg

ANSWERS: Final = 20_000
"""Messages of which it is known how to acknowledge them."""


@dataclass(eq=False, slots=True)
class Tenure:
    """The time in which this monitor owns a partition.

    Parameters
    ----------
    partition : int
        Which.
    fence : Fence
        Taken.
    results : ResultsQueue
        Where its results go.
    position : PartitionPosition
        How far the states went with which it began.
    saved : dict of str to WearerRecord
        Those states, by wearer.
    left, forgotten : asyncio.Event
        Set once all is saved for the next owner, and once nothing more will come from here.
    leaving : bool
        Whether it is to be handed over.
    given_up : bool
        Whether nothing more is judged of it.
    first : int
        Number of the first portion that came after it was taken.
    """

    partition: int
    fence: Fence
    results: ResultsQueue
    position: PartitionPosition
    saved: dict[str, WearerRecord]
    left: asyncio.Event = field(default_factory=asyncio.Event)
    forgotten: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: bool = False
    given_up: bool = False
    first: int = 0
    answers: "deque[Msg]" = field(default_factory=lambda: deque(maxlen=ANSWERS))


@dataclass(frozen=True, slots=True)
class AskedCommand:
    """A viewer's command for the owner of a partition.

    Parameters
    ----------
    number : int
        Its number in the stream of commands.
    request : Acknowledge or Pause
        What is asked for.
    answer : callable
        Takes why it cannot be, or None once what it changes is stored; called in any thread.
    """

    number: int
    request: messages.Acknowledge | messages.Pause
    answer: Callable[[str | None], None]


@dataclass(eq=False, slots=True)
class PartitionNews:
    """What the monitor's thread is told of a partition.

    Parameters
    ----------
    tenure : Tenure
        Of which time.
    portions : list of (int, Portion)
        Portions that came, with their numbers; those of a wearer in order.
    whole : bool
        Whether all that came before this monitor owned it was told.
    leaving : bool
        Whether it is to be saved, and handed over.
    over : bool
        Whether it is another monitor's from now on.
    asked : AskedCommand or None
        What a viewer asks for.
    """

    tenure: Tenure
    portions: list[tuple[int, Portion]] = field(default_factory=list)
    whole: bool = False
    leaving: bool = False
    over: bool = False
    asked: AskedCommand | None = None


@dataclass(frozen=True, slots=True)
class PartitionStates:
    """What a sweep saves of a partition.

    Parameters
    ----------
    states : dict of str to WearerRecord
        By wearer.
    gone : list of str
        Wearers whose states are to be removed.
    samples : int
        Number of a portion: all up to it are in the states.
    commands : int
        Number of a viewer's command, likewise.
    """

    states: dict[str, WearerRecord]
    gone: list[str]
    samples: int
    commands: int


async def save(tenure: Tenure, sweep: PartitionStates, given: int, results: int) -> None:
    """Write what a sweep has found, once what was published before it is in JetStream.

    Parameters
    ----------
    tenure : Tenure
        Of the partition.
    sweep : PartitionStates
        What was found.
    given : int
        Results that were put before the states were made.
    results : int
        Number of a result that was told before.

    Raises
    ------
    FencedError
        If another monitor has the partition.
    FleetError
        If JetStream does not take it.
    """
    fence, partition = tenure.fence, tenure.partition
    await tenure.results.confirmed(given)
    for wearer, record in sweep.states.items():
        await fence.put(names.state_key(partition, wearer), states.encode(record))
    position = PartitionPosition(sweep.samples, results, sweep.commands)
    await fence.put(names.position_key(partition), states.encode(position))
    for wearer in sweep.gone:
        await fence.remove(names.state_key(partition, wearer))
    if sweep.samples >= tenure.first:
        tenure.results.forget_before()
    answered = None
    answers = tenure.answers
    while answers and answers[0].metadata.sequence.stream <= sweep.samples:
        answered = answers.popleft()
    if answered is not None:
        await answered.ack()
