"""The words and numbers of the domain, without I/O; imports nothing else of ours."""
