"""The configuration of ``ecgmon serve``: what can be set, where it is read, how it is shown."""

from ecgmon.config.alarms import AlarmsSection
from ecgmon.config.reading import Given, LoadedConfig, load
from ecgmon.config.schema import Config, Wearer
from ecgmon.config.show import toml

__all__ = ["AlarmsSection", "Config", "Given", "LoadedConfig", "Wearer", "load", "toml"]
