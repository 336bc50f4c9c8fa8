"""The monitoring daemon: ingest, stream state, classification, alerts, journal, publishing, view."""
