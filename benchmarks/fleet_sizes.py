"""What a wearer costs a fleet in bytes: portions, results and the state; for docs/fleet.md.

    python benchmarks/fleet_sizes.py [--minutes 5]

A simulated wearer goes through the monitor's own registry, once with the generic window model alone
and once with a beat model besides. Portions are made as a gateway does, and results are packed as a
monitor does. One line of JSON for each is printed.
"""

import argparse
import json
import sys

import numpy as np
from numpy.typing import NDArray

from ecgmon.core.constants import RATE
from ecgmon.models.resolve import atrial_of, built_in, rhythms_of
from ecgmon.wire import Frame, messages
from monitor.fleet import told
from monitor.fleet.portions import Portion
from monitor.fleet.states import pack
from monitor.wearers.policy import WearerPolicy
from monitor.wearers.registry import WearerRegistry
from replay.simulator.simulation import GAIN, simulate

WEARER = "ward-3.bed-12"
FRAMES_A_SECOND = 10
MESSAGE = 22 + 4 + 8
"""Bytes that JetStream's files hold of a message beside subject, headers and data: lengths, number,
time and checksum of the record."""


def frame(first: int, samples: NDArray[np.int16]) -> Frame:
    """Return a frame of the wearer."""
    return Frame(7, first, 0, 1000 * RATE, GAIN, "II", samples)


def sizes(seconds: int, *, with_beats: bool) -> dict[str, object]:
    """Return the bytes of a wearer after so many seconds."""
    shared = built_in()
    policy = WearerPolicy(
        lambda _: shared["generic"],
        resolve_beats=lambda _: shared["beats"] if with_beats else None,
        resolve_rhythms=rhythms_of,
        resolve_atrial=atrial_of,
    )
    registry = WearerRegistry(policy)
    samples = simulate("premature", seed=3, duration_s=seconds).record.samples.astype("<i2")
    hello = messages.Hello(
        wearer=WEARER, stream=messages.stream_id(7), rate=float(RATE), leads=["II"]
    )
    stream = registry.open(hello, None, 0.0)[0].stream
    portions, results, published, states = 0, 0, 0, []
    for second in range(seconds):
        step, first = RATE // FRAMES_A_SECOND, second * RATE
        frames = [frame(at, samples[at : at + step]) for at in range(first, first + RATE, step)]
        one = Portion(hello, [frame.encode() for frame in frames])
        header = f"NATS/1.0\r\nNats-Msg-Id: {one.id}\r\n\r\n"
        portions += len(one.encode()) + len(header) + len(f"ecg.17.{WEARER}") + MESSAGE
        for each in frames:
            stream.accept(each, float(second))
        said = [*registry.advance(lambda _: False), *registry.links(float(second))]
        said += registry.check(float(second))
        for subject, data, _ in told.packed(17, said):
            published += 1
            results += len(data) + len(subject) + MESSAGE
        states.append(len(pack(registry.save(WEARER))))
    whole = Portion(hello, [frame(0, samples[:RATE]).encode()])
    return {
        "beats": with_beats,
        "portion_bytes": round(portions / seconds),
        "portion_of_one_frame_bytes": len(whole.encode()),
        "results_a_second": round(published / seconds, 2),
        "results_bytes_a_second": round(results / seconds),
        "state_bytes": states[-1],
        "state_bytes_most": max(states),
    }


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5.0)
    given = parser.parse_args()
    for with_beats in (False, True):
        found = sizes(int(60 * given.minutes), with_beats=with_beats)
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
