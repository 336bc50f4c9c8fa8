"""Study 3 beyond its recipe: the search for settings, and the transfer to infarction."""
