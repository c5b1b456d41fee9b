"""A guideline to a plan: which tests run, for how long, and what they require."""
