"""Requests as browsers send them, and a script that must not run."""

HTML = {"Accept": "text/html,*/*;q=0.8"}
EVIL = "<script>alert(1)</script>"


def get(server, path, **filters):
    return server.call("GET", path, headers=HTML, params=filters)
