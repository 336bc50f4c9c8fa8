"""Playing a record to a monitor as a device would."""
