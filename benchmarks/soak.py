"""A ward of simulated wearers for hours, with cuts: whether anything grows, is lost or comes late.

    make soak                            # two hours, 50 wearers; docs/results/soak.md
    python benchmarks/soak.py --hours 0.05 --wearers 10

The monitor is `ecgmon serve` in a process of its own; a socket of ours takes the place of systemd.
The devices are `ecgmon replay` in another process, behind a proxy that cuts all connections now and
then. Measurements are appended to a file at once.
"""

import argparse
import itertools
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ecgmon.records.captured.reader import captures  # noqa: E402 - the tree first
from tests.support.proxy import Proxy  # noqa: E402 - the tree first

WATCHDOG_S = 10
"""As in systemd/ecgmon.service."""
SAMPLE_S = 10.0
CUT_S = (20.0, 100.0)
"""Seconds from cut to cut."""
LAST_WORDS_S = 120


def main() -> None:
    """Run it and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=2.05)
    parser.add_argument("--wearers", type=int, default=50)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "soak.md")
    parser.add_argument("--log", type=Path, default=ROOT / "runs" / "soak.jsonl")
    given = parser.parse_args()
    given.log.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ecgmon-soak-") as folder:
        result = soak(Path(folder), given.hours * 3600, given.wearers, given.log)
    page(given.out, result)


def soak(folder: Path, seconds: float, wearers: int, log: Path) -> dict:
    """Run a monitor and its devices; returns the figures."""
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(folder / "notify"))
    notify.setblocking(False)
    state = folder / "state"
    environment = os.environ | {
        "ECGMON_STATE": str(state),
        "NOTIFY_SOCKET": str(folder / "notify"),
        "WATCHDOG_USEC": str(WATCHDOG_S * 1_000_000),
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("WATCHDOG_PID", None)
    ecgmon = str(Path(sys.executable).with_name("ecgmon"))
    ports = free_ports(3)
    serve = [ecgmon, "serve", "--ingest", f"tcp://127.0.0.1:{ports[0]}"]
    serve += ["--publish", f"tcp://127.0.0.1:{ports[1]}", "--capture", "48"]
    environment["ECGMON_NETWORK_METRICS"] = f"127.0.0.1:{ports[2]}"
    with (
        (folder / "serve.log").open("w") as errors,
        subprocess.Popen(serve, env=environment, stderr=errors) as monitor,  # noqa: S603 - ours
    ):
        try:
            watch = Watch(monitor.pid, notify, log)
            watch.until(lambda: watch.ready, 60)
            with Proxy(f"tcp://127.0.0.1:{ports[0]}") as network:
                replay = [ecgmon, "replay", "--simulate", "mixed", "--wearers", str(wearers)]
                replay += ["--loop", "--duration", str(round(seconds)), "--no-view"]
                replay += ["--connect", network.endpoint, "--json", str(folder / "replay.json")]
                with subprocess.Popen(  # noqa: S603 - ours
                    replay, env=environment, stdout=subprocess.DEVNULL
                ) as devices:
                    chance, cut_at = random.Random(1), time.monotonic() + 60  # noqa: S311 - no secret
                    deadline = time.monotonic() + seconds + LAST_WORDS_S
                    while devices.poll() is None and time.monotonic() < deadline:
                        watch.turn()
                        if time.monotonic() >= cut_at:
                            network.cut()
                            cut_at = time.monotonic() + chance.uniform(*CUT_S)
                    cuts = network.cuts
                    devices.terminate()
            ended = time.monotonic()
            monitor.terminate()
            code = monitor.wait(10)
            stop_s = time.monotonic() - ended
        finally:
            monitor.kill()
    played = json.loads((folder / "replay.json").read_text())
    warnings = [x for x in (folder / "serve.log").read_text().splitlines() if "level=info" not in x]
    devices_of = {one["patient"]: one for one in played["wearers"] if "gaps" not in one["patient"]}
    on_disk = {name: held(state / "captured", name) for name in devices_of}
    return watch.figures() | {
        "wearers": wearers,
        "hours": seconds / 3600,
        "cuts": cuts,
        "exit_code": code,
        "stop_s": round(stop_s, 2),
        "played": {k: v for k, v in played.items() if k != "wearers"},
        "whole_wearers": len(on_disk),
        "whole_sent": sum(one["samples_sent"] for one in devices_of.values()),
        "whole_on_disk": sum(samples for samples, _ in on_disk.values()),
        "whole_missing": sum(missing for _, missing in on_disk.values()),
        "warnings": len(warnings),
        "first_warnings": warnings[:5],
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - the user's own git
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip(),
    }


def held(folder: Path, wearer: str) -> tuple[int, int]:
    """Return how many samples are on disk of a wearer's stream, and how many not among them."""
    spans = sorted((record.first, record.stop) for record in captures(folder, wearer))
    missing = spans[0][0] + sum(b[0] - a[1] for a, b in itertools.pairwise(spans))
    return sum(stop - first for first, stop in spans), missing


class Watch:
    """Memory and CPU of the monitor's process, and its notifications to systemd."""

    def __init__(self, pid: int, notify: socket.socket, log: Path) -> None:
        self._pid, self._notify, self._log = pid, notify, log
        self._began = self._sampled = time.monotonic()
        self._pings: list[float] = []
        self._memory: list[tuple[float, float]] = []
        self._cpu: list[tuple[float, float]] = []
        self._files: list[int] = []
        self.ready = False
        log.write_text("")

    def until(self, condition: Callable[[], bool], patience_s: float) -> None:
        """Wait for something."""
        deadline = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit("The monitor does not start: look at its log.")
            self.turn()

    def turn(self) -> None:
        """Read the notifications, and sample the process every ten seconds."""
        try:
            text = self._notify.recv(4096).decode()
        except BlockingIOError:
            time.sleep(0.05)
        else:
            self.ready |= "READY=1" in text
            if "WATCHDOG=1" in text:
                self._pings.append(time.monotonic())
        now = time.monotonic()
        if now - self._sampled >= SAMPLE_S:
            self._sampled = now
            self._look(now)

    def _look(self, now: float) -> None:
        status = Path(f"/proc/{self._pid}/status").read_text()
        rss = next(int(x.split()[1]) for x in status.splitlines() if x.startswith("VmRSS")) / 1024
        ticks = sum(map(int, Path(f"/proc/{self._pid}/stat").read_text().split()[13:15]))
        files = len(list(Path(f"/proc/{self._pid}/fd").iterdir()))
        at = now - self._began
        self._memory.append((at, rss))
        self._cpu.append((at, ticks / os.sysconf("SC_CLK_TCK")))
        self._files.append(files)
        with self._log.open("a") as log:
            log.write(json.dumps({"s": round(at, 1), "rss_mb": round(rss, 2), "fd": files}) + "\n")

    def figures(self) -> dict:
        """Return what has come of it; the first quarter of an hour warms up."""
        at, rss = np.array(self._memory).T
        steady = at >= min(900, at[-1] / 2)
        slope = np.polyfit(at[steady] / 3600, rss[steady], 1)[0]
        cpu = np.array(self._cpu)
        return {
            "rss_mb_first": round(float(rss[steady][0]), 1),
            "rss_mb_last": round(float(rss[-1]), 1),
            "rss_mb_most": round(float(rss.max()), 1),
            "rss_slope_mb_per_hour": round(float(slope), 2),
            "cpu_share": round(float((cpu[-1, 1] - cpu[0, 1]) / (cpu[-1, 0] - cpu[0, 0])), 3),
            "files_most": max(self._files),
            "files_last": self._files[-1],
            "pings": len(self._pings),
            "longest_between_pings_s": round(float(np.diff(self._pings).max()), 2),
        }


def free_ports(n: int) -> list[int]:
    """Return ports that nobody uses now."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


HEAD = """# Soak

A monitor serves a ward in real time while connections are cut, to find what only hours show: lost
samples, growing memory, a main loop that stalls.

    make soak

| what | target | measured | result |
|---|---|---|---|
"""
REMARKS = """

- Measured at commit {commit}.
- The scenario *gaps* leaves samples out on purpose. Its wearers are not among those who send all.
- *Lost* are samples that were sent and are not on disk.
- systemd ends a monitor whose watchdog pings stop for 10 s.
"""


def page(out: Path, result: dict) -> None:
    """Write the page."""
    played = result["played"]
    lost = result["whole_sent"] - result["whole_on_disk"] + result["whole_missing"]
    targets = {
        "devices came back": "after each cut",
        "samples dropped by devices": "0",
        "samples lost": "0",
        "longest time between watchdog pings": f"below {WATCHDOG_S} s",
        "exit code after SIGTERM": "0",
    }
    met = {
        "devices came back": played["reconnects"] >= result["cuts"],
        "samples dropped by devices": not played["samples_dropped"],
        "samples lost": not lost,
        "longest time between watchdog pings": result["longest_between_pings_s"] < WATCHDOG_S,
        "exit code after SIGTERM": not result["exit_code"],
    }
    rows = {
        "wall time": f"{result['hours']:.2f} h",
        "wearers": f"{result['wearers']}, all scenarios of `ecgmon replay --simulate`",
        "connections cut": f"{result['cuts']:,}",
        "devices came back": f"{played['reconnects']:,} times",
        "samples sent": f"{played['samples_sent']:,}",
        "samples sent again after a cut": f"{played['samples_resent']:,}",
        "samples acknowledged": f"{played['samples_acknowledged']:,}",
        "samples dropped by devices": f"{played['samples_dropped']}",
        f"samples of the {result['whole_wearers']} wearers who send all": (
            f"{result['whole_sent']:,} sent, {result['whole_on_disk']:,} on disk, "
            f"{result['whole_missing']} missing among them"
        ),
        "samples lost": f"{lost}",
        "memory, first / last / most": f"{result['rss_mb_first']} / {result['rss_mb_last']} / "
        f"{result['rss_mb_most']} MB",
        "slope of memory after the first quarter of an hour": f"{result['rss_slope_mb_per_hour']} "
        "MB per hour",
        "open files, last / most": f"{result['files_last']} / {result['files_most']}",
        "processor": f"{100 * result['cpu_share']:.1f} % of one core",
        "watchdog pings": f"{result['pings']:,}",
        "longest time between watchdog pings": f"{result['longest_between_pings_s']} s",
        "exit code after SIGTERM": f"{result['exit_code']}, in {result['stop_s']} s",
        "warnings in the log": f"{result['warnings']}",
    }
    verdicts = {name: "met" if done else "**missed**" for name, done in met.items()}
    table = "\n".join(
        f"| {name} | {targets.get(name, '')} | {value} | {verdicts.get(name, '')} |"
        for name, value in rows.items()
    )
    out.write_text(HEAD + table + REMARKS.format(commit=result["commit"]))
    out.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
