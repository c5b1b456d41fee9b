"""Options that commands share, each group declared once."""
