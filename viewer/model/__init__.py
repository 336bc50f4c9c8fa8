"""The state of a viewer: published messages folded into bounded memory."""
