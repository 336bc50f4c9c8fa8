"""Study 1's trainings: each patient's windows, many small networks side by side, the search."""
