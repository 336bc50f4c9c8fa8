"""The protocols' evaluations: from records to result files, tables and plots."""
