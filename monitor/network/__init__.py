"""ROUTER sockets and their peers: connections, access rights and rate limits."""
