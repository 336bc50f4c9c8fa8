"""Model bundles, the store of each wearer's bundles, and which bundle a name means."""
