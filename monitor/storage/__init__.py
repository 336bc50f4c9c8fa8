"""Writing to disk: the writer thread, the journal, captured signal and recovery."""
