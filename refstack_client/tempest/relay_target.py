"""What a request to the relay is for, and the connection over which it is forwarded."""
