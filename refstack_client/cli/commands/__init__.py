"""The commands of refstack-client: each parses, calls one function and prints."""
