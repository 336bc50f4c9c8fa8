"""A wearer's current stream, and what is computed from it."""

from collections import deque
from dataclasses import dataclass, field
from typing import TypeVar, cast

from structlog.stdlib import BoundLogger

from ecgmon.core.alarm_kinds import Kind
from ecgmon.core.alarm_limits import GAP_LIMIT
from ecgmon.core.rhythm_verdict import RhythmVerdict
from ecgmon.core.state import NESTED, Index, Layout, Stateful
from ecgmon.models.bundle import Model
from ecgmon.models.card import AnyCard
from ecgmon.signal import SignalChain
from ecgmon.wire import messages
from ecgmon.wire.fields import Lead
from monitor.alarms.conditions.atrial import AtrialRhythm
from monitor.alarms.conditions.base import Condition
from monitor.alarms.conditions.condition_set import WearerConditions
from monitor.alarms.conditions.k_of_n import KOfN
from monitor.inference.beats import LiveBeats
from monitor.inference.incremental import IncrementalWindows
from monitor.inference.judge import Judge
from monitor.ops.logs import logger
from monitor.wearers.pieces import Segments, StreamSegment
from monitor.wearers.recent_beats import RecentBeats
from monitor.wearers.second_lead import SecondLead
from monitor.wearers.stream import Stream

_log = logger(__name__)
JudgeT = TypeVar("JudgeT", bound=Judge)


@dataclass(eq=False, slots=True)
class ActiveStream(Stateful):
    """A wearer's current stream, and what is computed from it.

    Parameters
    ----------
    stream : Stream
        The samples that the wearer's device sends.
    hello : messages.Hello
        How the device opened it.
    lead : str
        The lead that is used of those it sends.
    model : Model
        The judge of windows, whose verdict is published each second.
    chain : SignalChain
        Shared by all wearers whose models see the same context of a window.
    windows : IncrementalWindows
        Judges windows; shared by all wearers.
    conditions : WearerConditions
        Alarm conditions of the signal.
    last_received : float
        Monotonic time when new samples were last noticed, in seconds.
    next_second : int
        Index of the first second whose state is not known.
    publish_from : int
        Index from which windows and alarms are published; those before it were published before
        this monitor was restarted.
    settles_at : int or None
        Index at which the alarms take what holds after a restart. It is set where more was judged
        before the restart than was on disk: the device must first send the rest again.
    latest : messages.Window or None
        The newest window.
    refused : str or None
        Why the model in service is not the one that judges.
    last_count : int
        Samples received when `last_received` was set.
    gaps : KOfN
        Whether too many seconds are not whole.
    holds : dict of Kind to bool
        Whether each condition of this stream held when it was last looked at.
    beats : LiveBeats or None
        The stream's beats, where a model judges them.
    beats_refused : str or None
        Why the model of beats in service is not the one that judges.
    rhythms_refused : dict of str to (str or None)
        The same of the models of rhythms, by what they judge.
    rhythm : RhythmVerdict or None
        The newest verdict on the rhythm.
    atrial : AtrialRhythm
        Whether it is in an episode of atrial fibrillation, whatever its alarm's limits.
    recent : RecentBeats
        Its last beats and pacing spikes.
    backlog : deque of StreamSegment
        Samples in mV at `RATE` from before this monitor was restarted that are not processed yet;
        those of ``stream.pending`` come after them.
    likeness : float or None
        How alike the usual beat and that of the enrolment are, as last known.
    stamp : object or None
        What the policy's stamp was when the models in service were taken up; None to look again.
    second : SecondLead or None
        The second lead, once the device sends one that may be used.
    look_ahead : int
        Samples at `RATE` that the models see after a window.
    """

    layout = Layout(
        "active stream",
        5,
        ("hello",),
        stream=NESTED,
        lead=Lead,
        conditions=NESTED,
        last_received=float,
        next_second=Index,
        publish_from=Index,
        settles_at=Index | None,
        latest=messages.Window | None,
        last_count=Index,
        gaps=NESTED,
        holds=dict[Kind, bool],
        backlog=Segments,
        rhythm=RhythmVerdict | None,
        atrial=NESTED,
        recent=NESTED,
        likeness=float | None,
    )

    stream: Stream
    hello: messages.Hello
    lead: str
    model: Model
    chain: SignalChain
    windows: IncrementalWindows
    conditions: WearerConditions
    last_received: float
    next_second: int = 0
    publish_from: int = 0
    settles_at: int | None = None
    latest: messages.Window | None = None
    refused: str | None = None
    last_count: int = 0
    gaps: KOfN = field(default_factory=lambda: KOfN(GAP_LIMIT))
    holds: dict[Kind, bool] = field(default_factory=dict)
    beats: LiveBeats | None = None
    beats_refused: str | None = None
    rhythms_refused: dict[str, str | None] = field(default_factory=dict)
    rhythm: RhythmVerdict | None = None
    atrial: AtrialRhythm = field(default_factory=AtrialRhythm)
    recent: RecentBeats = field(default_factory=RecentBeats)
    backlog: deque[StreamSegment] = field(default_factory=deque)
    likeness: float | None = None
    stamp: object | None = None
    second: SecondLead | None = None
    look_ahead: int = field(init=False)
    _judges: dict[type[Judge], Judge] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.look_ahead = self.chain.geometry.look_ahead

    @property
    def log(self) -> BoundLogger:
        """What logs of this stream: every line names it and its wearer."""
        return _log.bind(wearer=self.hello.wearer, stream=self.hello.stream)

    @property
    def judged(self) -> Stream:
        """The lead that is judged: the stream itself, or its second lead."""
        return self.second.stream if self.second and self.second.judged else self.stream

    @property
    def refusal(self) -> str | None:
        """Why some model in service is not the one that judges; None if all are."""
        reasons = (self.refused, self.beats_refused, *self.rhythms_refused.values())
        return next(filter(None, reasons), None)

    def elapsed(self) -> list[Condition]:
        """Let the conditions know how far the judged lead is; return what changes by it."""
        row, chain = self.judged.row, self.chain
        return self.conditions.elapsed(int(chain.next[row]), chain.confirmed(row), chain.lost(row))

    def may_ask(self, card: AnyCard) -> bool:
        """Tell whether a model may judge this lead: a wearer's own knows the first one only."""
        return card.wearer is None or self.judged is self.stream

    def judge_of(self, kind: type[JudgeT]) -> JudgeT | None:
        """Return the judge of something else than windows, such as `BeatModel`, if there is one."""
        return cast("JudgeT | None", self._judges.get(kind))

    def serve(self, kind: type[JudgeT], model: JudgeT | None) -> None:
        """Let another model of a kind judge from now on, or none; the other judges stay."""
        self._judges.pop(kind, None)
        if model is not None:
            self._judges[kind] = model
