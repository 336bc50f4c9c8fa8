"""The fleet: gateways take devices, monitors share their wearers, NATS JetStream lies between."""
