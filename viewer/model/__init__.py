"""What a viewer knows: published messages folded into bounded memory."""
