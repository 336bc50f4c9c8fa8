"""What all programs of ecgmon share: signal, records, labels, wire, bundle and command line."""

__version__ = "0.1.0"
