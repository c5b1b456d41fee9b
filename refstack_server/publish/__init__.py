"""Publication of verdicts: recomputation, the public view, statistics, export as files."""
