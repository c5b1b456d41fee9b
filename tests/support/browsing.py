"""Pages as a browser asks for them, and what must never run in one."""

HTML = {"Accept": "text/html,*/*;q=0.8"}
EVIL = "<script>alert(1)</script>"


def get(server, path, **filters):
    return server.call("GET", path, headers=HTML, params=filters)
