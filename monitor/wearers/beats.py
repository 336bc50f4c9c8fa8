"""A stream's beats: judged where its wearer has a model of beats, and what is published of them."""

from collections.abc import Callable, Mapping

from ecgmon.models.beat_bundle import BeatModel
from ecgmon.signal import Second
from ecgmon.signal.beat_cutter import BeatInputs, CutBeats
from ecgmon.wire import messages
from monitor.inference.beat_stack import BeatStack
from monitor.inference.beats import JudgedBeat, LiveBeats, classify_beats
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.session import WearerSession, model_event


def beat_cutter(actives: Mapping[int, ActiveStream]) -> CutBeats | None:
    """Return what cuts the beats of streams that share a chain; None where nobody judges beats.

    Parameters
    ----------
    actives : mapping of int to ActiveStream
        The streams by the rows that are judged.
    """
    judges = {row: active.beats for row, active in actives.items() if active.beats}
    if not judges:
        return None
    return CutBeats(next(iter(judges.values())).stack.segments, judges)  # one for all


def judge_beats(actives: Mapping[int, ActiveStream], beats: BeatInputs) -> list[JudgedBeat]:
    """Judge beats that are complete, of streams by the rows that are judged."""
    rows = set(beats.rows.tolist())
    stack = next(
        (judge.stack for row in rows if (judge := actives[row].beats)), None
    )  # one for all
    if stack is None:
        return []
    models = {
        row: model
        for row in rows
        if (model := actives[row].judge_of(BeatModel)) and actives[row].may_ask(model.card)
    }
    return classify_beats(beats, models, stack.kinds)


def publish_beat(
    session: WearerSession, active: ActiveStream, beat: JudgedBeat
) -> list[messages.Published]:
    """Return a beat as a message, unless it does not stand or was published before a restart."""
    judge = active.beats
    if judge is None:
        return []
    if session.limits.paced and active.recent.is_paced(beat.at):
        beat = beat.by_pacemaker()
    elif active.atrial.holds:
        beat = beat.in_fibrillation()
    stands, rr = judge.take(beat)
    if not stands or beat.label is None:
        return []
    active.recent.name(beat.at, beat.label, beat.probability)
    active.conditions.beat(beat.at, beat.label, beat.probability, rr)
    if beat.at < judge.publish_from:
        return []
    return [
        messages.Beat(
            wearer=active.stream.wearer,
            stream=active.hello.stream,
            at=beat.at,
            label=beat.label,
            probability=beat.probability,
            rr=rr,
        )
    ]


def withdraw_beats(active: ActiveStream, second: Second) -> list[messages.Published]:
    """Return which beats are withdrawn by the end of a second: it turns out to be no signal."""
    judge = active.beats
    if judge is None:
        return []
    withdrawn = judge.second(second.end, second.state)
    for at in withdrawn:
        active.conditions.withdraw(at)
    if second.end <= judge.withdraw_from:
        return []
    return [
        messages.BeatWithdrawn(wearer=active.stream.wearer, stream=active.hello.stream, at=at)
        for at in withdrawn
    ]


def change_beat_model(
    active: ActiveStream,
    serving: Callable[[str, BeatModel | None], tuple[BeatModel | None, str | None]],
    stack: Callable[[], BeatStack],
) -> list[messages.Published]:
    """Let the model of beats that is in service by now judge a stream's; it may be the first.

    Parameters
    ----------
    active : ActiveStream
        The stream; during a recovery nothing changes.
    serving : callable
        Gives the model that judges from now on, None for nobody, by wearer and the model that
        judges so far; and why it is not the model in service.
    stack : callable
        Gives what is known of the beats of all wearers.
    """
    if active.backlog:
        return []
    wearer, before = active.stream.wearer, active.judge_of(BeatModel)
    was_refused = active.beats_refused
    model, active.beats_refused = serving(wearer, before)
    active.serve(BeatModel, model)
    if model is None:
        active.beats = None
    elif active.beats is None:
        active.beats = LiveBeats(stack(), active.judged.row)
        active.beats.reset(int(active.chain.next[active.judged.row]))
    same = (model and model.sha256) == (before and before.sha256)
    if active.beats is not None and not same:
        # What another model said of them is no help.
        active.beats.stack.kinds.reset(active.beats.row)
    if same and (active.beats_refused in (None, was_refused)):
        return []
    text = f"{model.card.name} judges beats" if model else "beats are not judged"
    if active.beats_refused:
        text = f"{text}: {active.beats_refused}"
    return [model_event(active, "beat-model", text)]
