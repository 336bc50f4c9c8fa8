"""Where results go: the outbox and the publisher."""
