"""Pages in HTML. No script runs in them."""
