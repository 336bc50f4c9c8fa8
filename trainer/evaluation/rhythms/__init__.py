"""Episodes of rhythms that a monitor announced, against those that experts annotated."""
