"""The configuration of ``ecgmon serve``: what can be set, where it is read, how it is shown."""

from ecgmon.config.schema import Alarms, Config, Wearer
from ecgmon.config.show import toml
from ecgmon.config.sources import Given, Loaded, load

__all__ = ["Alarms", "Config", "Given", "Loaded", "Wearer", "load", "toml"]
