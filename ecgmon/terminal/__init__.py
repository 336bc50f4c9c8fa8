"""Pictures on character cells, and the terminal that shows them: what all full screens share."""
