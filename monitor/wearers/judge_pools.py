"""The models of all wearers in service, and how a stream takes them up."""

from collections.abc import Callable

from ecgmon.models.atrial_bundle import AtrialModel
from ecgmon.models.rhythm_bundle import RhythmModel
from ecgmon.wire import messages
from monitor.inference.beat_stack import BeatStack
from monitor.inference.bundle_pool import BundlePool
from monitor.inference.engine import ModelPool
from monitor.inference.own_beats import load_resting
from monitor.wearers.active_stream import ActiveStream
from monitor.wearers.beats import change_beat_model
from monitor.wearers.lifecycle import change_model
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.rhythms import change_rhythm_model
from monitor.wearers.session import WearerSession


class JudgePools:
    """One pool for each kind of model; `take_up` is for those that a stream may lack.

    Parameters
    ----------
    policy : WearerPolicy
        Says which bundles judge whom.
    stack : callable
        Gives what is known of the beats of all wearers.
    """

    def __init__(self, policy: WearerPolicy, stack: Callable[[], BeatStack]) -> None:
        self.windows = ModelPool(policy.resolve)
        self._beats = BundlePool(policy.resolve_beats, load_resting)
        self._rhythms = BundlePool(policy.resolve_rhythms, RhythmModel.load)
        self._atrial = BundlePool(policy.resolve_atrial, AtrialModel.load)
        self._stack = stack

    def take_up(self, active: ActiveStream) -> list[messages.Published]:
        """Let the models of beats and rhythms that are in service by now judge a stream."""
        return [
            *change_beat_model(active, self._beats.serving, self._stack),
            *change_rhythm_model(active, RhythmModel, self._rhythms.serving),
            *change_rhythm_model(active, AtrialModel, self._atrial.serving),
        ]

    def take_up_changed(
        self, session: WearerSession, policy: WearerPolicy
    ) -> list[messages.Published]:
        """Let the models in service by now judge a wearer, unless it is known that none changed."""
        if (active := session.active) is None:
            return []
        stamp = policy.stamp(session.wearer)
        if stamp is not None and stamp == active.stamp:
            return []
        published = [*self.take_up(active), *change_model(session, self.windows.serving)]
        active.stamp = None if active.backlog or active.refusal else stamp
        return published
