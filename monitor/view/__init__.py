"""The terminal views: listeners to what the monitor publishes."""

from ecgmon.terminal.screen import usable
from monitor.view.lines import LINE_KINDS, run_lines
from monitor.view.terminal import run_view
from monitor.view.watch import ALL, run_watch

__all__ = ["ALL", "LINE_KINDS", "run_lines", "run_view", "run_watch", "usable"]
