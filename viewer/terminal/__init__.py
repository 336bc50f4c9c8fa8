"""The terminal views: listeners to what the monitor publishes."""

from ecgmon.terminal.screen import usable
from viewer.terminal.lines import LINE_KINDS, run_lines
from viewer.terminal.single import run_view
from viewer.terminal.watch import ALL, run_watch

__all__ = ["ALL", "LINE_KINDS", "run_lines", "run_view", "run_watch", "usable"]
