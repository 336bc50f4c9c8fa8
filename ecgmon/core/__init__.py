"""The domain's types and constants, without network I/O; this room imports no other of ours."""
