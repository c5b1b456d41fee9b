"""The API of this server's own: whole results with every outcome, verified and judged again."""
