"""File formats of records, one module or package each."""
