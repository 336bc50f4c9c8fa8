"""The live terminal view: a subscriber of what the monitor publishes."""

from ecgmon.terminal.screen import usable
from monitor.view.feed import KINDS, subscribe
from monitor.view.lines import LINE_KINDS, run_lines
from monitor.view.terminal import run_view

__all__ = ["KINDS", "LINE_KINDS", "run_lines", "run_view", "subscribe", "usable"]
