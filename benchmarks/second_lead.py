"""What a second lead is worth where the first is noisy: writes docs/results/second-lead.md.

Run by ``make second-lead``: some minutes. Each record is played twice, with noise in its first
lead: that lead alone, and with the other one, without noise, beside it.
"""

from collections import Counter
from dataclasses import replace
from typing import Any, Final

from alarms_noise import MINUTES, RECORDS, TOGETHER, clean, stressed, summed, under_noise
from alarms_ward import FULL_SPEED, ROOT, Board, monitor, play
from alarms_wearers import Noise

from ecgmon.core.constants import RATE
from ecgmon.records import Record
from ecgmon.records.fetch import obtain
from ecgmon.records.read import read
from ecgmon.wire import messages
from replay.player.device import RecordDevice
from replay.player.schedule import Pace

PAGE: Final = ROOT / "docs" / "results" / "second-lead.md"
KINDS: Final = {"em": "electrode motion", "ma": "muscle artefact"}
LEVELS_DB: Final = (12, 6, 0, -6)
HEADS: Final = ("seconds noisy", "asystole", "abnormal", "extreme rate", "rate", "second judged")


class LeadBoard(Board):
    """Counts the seconds in which the second lead was judged as well."""

    def __init__(self, record: Record, device: RecordDevice, pace: Pace) -> None:
        super().__init__(record, device, pace)
        self.windows: Counter[bool] = Counter()

    def take(self, message: messages.Published, arrival: float) -> None:
        """Count a message that arrived at monotonic time ``arrival``."""
        super().take(message, arrival)
        if isinstance(message, messages.Window):
            self.windows[bool(message.lead)] += 1


def other_lead(name: str) -> Record:
    """Return the first minutes of the other lead of a record."""
    found = obtain(f"mitdb/{name}")
    first = read(found).lead
    leads = (read(found, lead=number) for number in ("2", "1"))
    record = next(lead for lead in leads if lead.lead != first)
    return replace(record, samples=record.samples[: MINUTES * 60 * RATE], annotations=None)


def judged(noise: str, snr: int, *, two: bool) -> dict[str, Any]:
    """Play the records with noise in their first leads, and count."""
    recording = Noise(noise)
    records = [stressed(clean(name), recording, snr) for name in RECORDS]
    seconds = [other_lead(name) if two else None for name in RECORDS]
    with monitor("--model", "generic", "--capture", "0") as endpoint:
        boards = play(records, [FULL_SPEED] * len(records), endpoint, LeadBoard, seconds)
    found = summed([under_noise(one, board) for one, board in zip(records, boards, strict=True)])
    windows = sum((board.windows for board in boards), Counter())
    return found | {"second": windows[True] / windows.total()}


def row(label: str, found: dict[str, Any]) -> str:
    """Return a row of the table."""
    hours = found["seconds"] / 3600
    cells = [f"{100 * found['states'].get('noisy', 0) / found['seconds']:.1f} %"]
    cells += [f"{sum(found['false'].get(kind, 0) for kind in k) / hours:.1f}" for k in TOGETHER]
    cells += [f"{100 * found['second']:.0f} %"]
    return f"| {label} | {' | '.join(cells)} |"


def page() -> str:
    """Measure, and return the page."""
    rows = [
        row(f"{KINDS[noise]} {snr} dB | {'two' if two else 'one'}", judged(noise, snr, two=two))
        for noise in KINDS
        for snr in LEVELS_DB
        for two in (False, True)
    ]
    return f"""# A second lead

What it is worth where the first is noisy: noise in the first lead of
{len(RECORDS)} records ({", ".join(RECORDS)}), played with that lead alone and with the other one
beside it, without noise.

    make second-lead

| noise in the first lead | leads | {" | ".join(HEADS)} |
|---|---|{"---:|" * len(HEADS)}
{chr(10).join(rows)}

- *Asystole* to *rate* are false alarms an hour in the minutes with noise, as in
  [alarms](alarms.md#noise), whose noise this is. *Second judged* is the share of all seconds, with
  and without noise, in which the second lead was judged.
- That only one lead is noisy is the best case: what moves the wearer moves both electrodes.
- The window model has learned from first leads; the second ones are V1, V2 and V5.
"""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
