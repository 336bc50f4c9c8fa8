"""Operation: logs, Prometheus metrics, systemd and regular maintenance."""
