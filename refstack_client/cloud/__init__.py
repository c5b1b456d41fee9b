"""The connection to a cloud, the facts about it, and accounts in it."""
