"""A guideline to a plan: which tests run, how long they take, what they require."""
