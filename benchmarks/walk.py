"""Counts the files that ``ecgmon enroll`` passes, from the command to the model in service.

Run by ``python benchmarks/walk.py [annotations | assumed | review]``; prints the counts and what
was counted. The command runs in this process, on record 203, under `sys.setprofile`, with 4 records
of other wearers and 3 steps of fine-tuning: more of either take the same way. It writes into a
state folder of its own.

What is counted is what a reader opens who follows the calls:

- A *call* is a Python function of this project entered from another one of it, with whatever
  libraries lie between them. What runs while a module is imported is none. The walk ends with the
  call that puts the model into service (`Store.activate`).
- *Files entered* are all files in which a function was called: the raw count.
- The *main path* are the calls that enrolment's own code makes: the command line and
  `trainer/enrolment`. A call into another room (``ecgmon/records``, ``trainer/training``) is
  followed to its door, which is the file entered, and no further; what happens behind the door
  is that room's subject.
- A *room* is a file of the main path. A *stay* is a call on the main path from one file into
  another, by caller and callee, whatever number of times it happens; and the command itself. A
  *return* is a stay in a file that was entered before.
- A *climb* is a call from a lower floor to a higher one, anywhere: ``ecgmon``, then the programs,
  then the command line. Callbacks and hooks count. An *inner climb* is one between the trainer's
  own rooms, by the layers in pyproject.toml.
"""

import os
import pty
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

ROOT: Final = Path.cwd()
CASES: Final = {"annotations": (), "assumed": ("--assume-normal",), "review": ("--review",)}
RECORD: Final = "203"
PACKAGES: Final = ("ecgmon", "ecgmon_cli", "monitor", "viewer", "replay", "trainer")
OWN: Final = ("ecgmon_cli/", "trainer/enrolment/")
"""Enrolment's own code."""
INNER: Final = ("networks", "data", "training", "studies", "enrolment", "evaluation")
"""The trainer's rooms from below; recipes lie beside enrolment."""
KEY_S: Final = 0.5
"""Seconds between two keys of the review, which takes none that comes sooner."""


def floor(file: str) -> int:
    """Return 0 for the ground, 1 for a program, 2 for the command line."""
    if file.startswith("ecgmon_cli/"):
        return 2
    return 0 if file.startswith("ecgmon/") else 1


def inner(file: str) -> int | None:
    """Return the number of the trainer's room that a file lies in."""
    parts = file.split("/")
    return INNER.index(parts[1]) if parts[0] == "trainer" and parts[1] in INNER else None


def file_of(code: CodeType) -> str | None:
    """Return the file of this project that code lies in, else None."""
    if not code.co_filename.startswith(f"{ROOT}/"):
        return None
    file = code.co_filename.removeprefix(f"{ROOT}/")
    return file if file.split("/")[0] in PACKAGES else None


@dataclass(frozen=True)
class Call:
    """A call from a function in one file to a function in another."""

    caller: tuple[str, str]
    callee: tuple[str, str]

    @property
    def climbs(self) -> bool:
        """Whether it goes to a higher floor."""
        return floor(self.caller[0]) < floor(self.callee[0])

    @property
    def climbs_inside(self) -> bool:
        """Whether it goes to a higher room of the trainer."""
        rooms = inner(self.caller[0]), inner(self.callee[0])
        return rooms[0] is not None and rooms[1] is not None and rooms[0] < rooms[1]

    @property
    def main(self) -> bool:
        """Whether enrolment's own code makes it."""
        return self.caller[0].startswith(OWN)

    def __str__(self) -> str:
        return f"{self.caller[0]}:{self.caller[1]} -> {self.callee[0]}:{self.callee[1]}"


@dataclass
class Walk:
    """The calls between files until the model is in service, each once, in the order of time."""

    calls: dict[Call, None] = field(default_factory=dict)
    entered: dict[str, None] = field(default_factory=dict)
    over: bool = False
    _here: threading.local = field(default_factory=threading.local)
    _files: dict[CodeType, tuple[str, str] | None] = field(default_factory=dict)

    def profile(self, frame: FrameType, event: str, _: Any) -> None:  # noqa: ANN401 - sys's own
        """Follow a call or a return; what `sys.setprofile` takes."""
        if self.over or event not in ("call", "return"):
            return
        stack = self._here.__dict__.setdefault("stack", [])
        if event == "return":
            if stack:
                stack.pop()
            return
        code = frame.f_code
        if code not in self._files:
            file = file_of(code)
            self._files[code] = file and (file, code.co_qualname.split(".<locals>")[0])
        callee, caller = self._files[code], stack[-1] if stack else None
        if code.co_name == "<module>" or (callee and not code.co_flags & 2):  # a module, a class
            callee = ("", "")  # what is called from here runs because of an import
        if callee and callee[0] and caller != ("", ""):
            self.entered[callee[0]] = None
            if caller and caller[0] != callee[0]:
                self.calls[Call(caller, callee)] = None
            self.over = callee[1].endswith(".activate")
        stack.append(caller if caller == ("", "") else callee or caller)

    def report(self) -> str:
        """Return the counts, and below them the calls of the main path and the climbs."""
        main = [call for call in self.calls if call.main]
        rooms = dict.fromkeys([main[0].caller[0], *(call.callee[0] for call in main)])
        climbs = [call for call in self.calls if call.climbs]
        inside = [call for call in self.calls if call.climbs_inside]
        stays = len(main) + 1
        lines = [
            f"files entered {len(self.entered)}; main path: {len(rooms)} rooms, {stays} stays, "
            f"{stays - len(rooms)} returns; {len(climbs)} climbs, {len(inside)} inner climbs",
            "rooms:",
            *(f"  {room}" for room in rooms),
            "main path:",
            *(f"  {call}" for call in main),
            "climbs:",
            *(f"  {call}" for call in climbs),
            "inner climbs:",
            *(f"  {call}" for call in inside),
            "behind the doors:",
            *(f"  {file}" for file in self.entered if file not in rooms),
        ]
        return "\n".join(lines)


def shorten() -> None:
    """Fine-tune with 3 steps, on few other wearers: more of them take the same way."""
    from trainer.data import splits
    from trainer.enrolment import gate
    from trainer.training import window_trainings

    splits.TRAINING, gate.PANEL = splits.TRAINING[:2], gate.PANEL[:2]
    for name, each in window_trainings.TRAININGS.items():
        window_trainings.TRAININGS[name] = replace(each, patient=replace(each.patient, steps=3))


def walk(case: str, out: Path) -> None:
    """Run the command and write down what it passed."""
    from ecgmon_cli.app import app

    shorten()
    walked = Walk()
    sys.argv = ["ecgmon", "enroll", "--patient", "walker", "--record", RECORD, *CASES[case]]
    sys.argv += ["--force", "--json", os.devnull]
    threading.setprofile(walked.profile)
    sys.setprofile(walked.profile)
    try:
        app()
    except SystemExit as end:
        if end.code:
            raise
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        out.write_text(f"{case}: {walked.report()}\n")


def in_terminal(case: str, out: Path) -> None:
    """Run `walk` in a pseudo-terminal whose keys answer every question with *normal*."""
    pid, terminal = pty.fork()
    if not pid:
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, __file__, case, str(out)])  # noqa: S606 - ours
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    shown = b""
    typed_at = time.monotonic()
    os.set_blocking(terminal, False)
    while True:
        try:
            shown = (shown + os.read(terminal, 65_536))[-100_000:]
        except BlockingIOError:
            if os.waitpid(pid, os.WNOHANG)[0]:
                break
            time.sleep(0.05)
        except OSError:
            os.waitpid(pid, 0)
            break
        if b"review" in shown and time.monotonic() - typed_at > KEY_S:
            typed_at = time.monotonic()
            os.write(terminal, b"\r" if b"All questions are answered" in shown else b"n")
    if not out.exists():
        raise SystemExit(shown.decode(errors="replace"))


if __name__ == "__main__":
    case, *rest = sys.argv[1:] or ["annotations"]
    if rest:
        walk(case, Path(rest[0]))
        raise SystemExit
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ECGMON_STATE"] = folder
        out = Path(folder) / "walk.txt"
        in_terminal(case, out) if case == "review" else walk(case, out)
        print(out.read_text())  # noqa: T201 - its only output
