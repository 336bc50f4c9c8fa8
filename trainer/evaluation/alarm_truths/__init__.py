"""Records with one alarm each that experts called true or false (PhysioNet Challenge 2015)."""
