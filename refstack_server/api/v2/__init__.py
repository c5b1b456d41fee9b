"""The API v2: results with every outcome, verified and with a recomputed verdict."""
