"""The command line. Each command loads its program only when it is called."""

from ecgmon_cli.app import main

__all__ = ["main"]
