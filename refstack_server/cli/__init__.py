"""The ``server`` commands: one module per group."""
