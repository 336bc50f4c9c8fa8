"""Beat data sets: single heart beats cut from raw records, with their AAMI classes."""
