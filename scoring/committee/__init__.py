"""Scores to the next guideline: worksheets, weights, decisions, what-if."""
