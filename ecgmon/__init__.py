"""The ground of ecgmon, which all programs share: signal, models, records, wire, keys."""

__version__ = "0.1.0"
