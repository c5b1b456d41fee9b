"""What the tests share: runs, streams, servers, engines, identities."""
