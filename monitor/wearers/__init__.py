"""The wearers under watch: registry, sessions, streams and device clocks."""
