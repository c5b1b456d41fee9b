"""Write results as lines for a terminal."""
