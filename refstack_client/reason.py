"""One line a person understands, from what a test left in the stream."""

import re

# Tempest's packages of API tests, and who serves what they test.
_SERVICES = {
    "compute": "Nova (compute)",
    "identity": "Keystone (identity)",
    "image": "Glance (image)",
    "network": "Neutron (network)",
    "object_storage": "Swift (object-store)",
    "volume": "Cinder (block-storage)",
}
# What a URL gives away when the catalogue is not at hand.
_PATHS = (
    (re.compile(r"/v1/AUTH_|/info$|/healthcheck$"), _SERVICES["object_storage"]),
    (re.compile(r"/v3/auth/|/v3/(users|projects|roles|domains)"), _SERVICES["identity"]),
)

# Whose client made a call, as the frames of a traceback tell.
_CLIENT_FRAME = re.compile(r"tempest/lib/(?:services/(?P<area>\w+)/|(?P<auth>auth\.py))")

_LONGEST = 240
_CONNECTION = re.compile(r"host='(?P<host>[^']+)', port=(?P<port>\d+)")
_URL_IN_ERROR = re.compile(r"with url: (?P<path>\S+)")
_HOW = (
    ("Connection refused", "refused the connection"),
    ("Name or service not known", "has a name that cannot be resolved"),
    ("No route to host", "has no route to it"),
    ("timed out", "did not answer in time"),
    ("Connection aborted", "broke off the connection"),
    ("RemoteDisconnected", "broke off the connection"),
    ("Connection broken", "broke off the connection"),
    ("CERTIFICATE_VERIFY_FAILED", "has a TLS certificate that cannot be verified"),
)
_REQUEST = re.compile(r"Request \([^)]*\): (?P<status>\d{3}) (?P<method>[A-Z]+) (?P<url>\S+)")
_QUALIFIED = re.compile(r"^(?P<module>[\w.]+)\.(?P<name>\w+)(?:: (?P<message>.*))?$", re.DOTALL)

ONLY_WITH_TENANTS_OF_TEMPEST = (
    "Tempest skips it unless it makes the tenants itself (its bug 2147232), which takes an admin"
)
# What Tempest says of a skip where that tells a user nothing.
_SKIPS = (("bug#2147232", ONLY_WITH_TENANTS_OF_TEMPEST),)


def of_skip(text: str) -> str:
    """Return why a test skipped, from its ``reason`` attachment."""
    for sign, sentence in _SKIPS:
        if sign in text:
            return sentence
    return _one_line(text) or "skipped without a reason"


def of_failure(test_name: str, traceback: str, log: str) -> str:
    """Return why a test failed, from its ``traceback`` and ``pythonlogging`` attachments."""
    error = _error(traceback)
    connection = _CONNECTION.search(error)
    for sign, how in _HOW:
        if sign in error:
            url = _URL_IN_ERROR.search(error)
            who = _service(test_name, url["path"] if url else "", traceback)
            where = f" at {connection['host']}:{connection['port']}" if connection else ""
            return f"{who}{where} {how}"
    reason = _sentence(error) or "failed without a traceback"
    server_errors = [each for each in _REQUEST.finditer(log) if int(each["status"]) >= 500]
    if server_errors:
        last = server_errors[-1]
        who = _service(test_name, last["url"])
        return _one_line(f"{who} answered {last['status']} to {last['method']}: {reason}")
    return _one_line(reason)


def _error(traceback: str) -> str:
    """Return the exception at the end of a traceback, without its frames."""
    lines = traceback.rstrip().splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith("  ")]
    indented_end = frames[-1] + 1 if frames else 0
    tail = lines[indented_end:] or lines[-1:]
    return "\n".join(tail).strip()


def _sentence(error: str) -> str:
    match = _QUALIFIED.match(error)
    if not match:
        return error
    message = match["message"] or ""
    if match["module"].startswith("tempest.") and message:
        return message
    return f"{match['name']}: {message}" if message else match["name"]


def _service(test_name: str, url: str, traceback: str = "") -> str:
    for pattern, service in _PATHS:
        if pattern.search(url.partition("?")[0]):
            return service
    frames = list(_CLIENT_FRAME.finditer(traceback))
    if frames:
        area = frames[-1]["area"] or "identity"
        return _SERVICES.get(area, f"the {area} service")
    parts = re.findall(r"\w+", test_name)
    return next((_SERVICES[part] for part in parts if part in _SERVICES), "the cloud")


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
