"""The connection to a cloud and the facts about it."""
