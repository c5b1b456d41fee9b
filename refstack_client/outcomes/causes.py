"""A reason in one line, and the kind of cause, from the attachments of a test."""

import collections
import re

from scoring.conformance.outcomes import Call, Cause, CauseKind

# Tempest's packages of API tests, and the services that they test.
_SERVICES = {
    "compute": "Nova (compute)",
    "identity": "Keystone (identity)",
    "image": "Glance (image)",
    "network": "Neutron (network)",
    "object_storage": "Swift (object-store)",
    "volume": "Cinder (block-storage)",
}
# The service of a URL where there is no service catalog.
_PATHS = (
    (re.compile(r"/v1/AUTH_|/info$|/healthcheck$"), _SERVICES["object_storage"]),
    (re.compile(r"/v3/auth/|/v3/(users|projects|roles|domains)"), _SERVICES["identity"]),
    (re.compile(r"/v2\.0/"), _SERVICES["network"]),
    (re.compile(r"/v2\.1(/|$)"), _SERVICES["compute"]),
    (re.compile(r"/v2/(images|schemas|tasks|metadefs|info)\b"), _SERVICES["image"]),
    (re.compile(r"/v3/[0-9a-f]{32}/|/v3/(volumes|snapshots|backups)\b"), _SERVICES["volume"]),
)

# The service whose client made a call, by the frames of a traceback.
_CLIENT_FRAME = re.compile(r"tempest/lib/(?:services/(?P<area>\w+)/|(?P<auth>auth\.py))")

_LONGEST = 240
# How many characters of an error and of a log are looked at: the start of an error
# names it, and the end of a log has the failed call.
_LONGEST_ERROR = 1 << 16
_LONGEST_LOG = 1 << 22
# Uploaded streams contain any text. Each expression takes time in proportion to the text: it never
# scans the same text again from another place.
_CONNECTION = re.compile(r"host='(?P<host>[^']+)', port=(?P<port>\d+)")
_URL_IN_ERROR = re.compile(r"with url: (?P<path>\S+)")
# The connection may be to a proxy or a relay, whose requests have complete URLs.
_SERVER_IN_URL = re.compile(r"^(?:http://[^/?#]*(?=/https?://))?/?https?://(?P<server>[^/?#]+)")
_HOW = (
    ("Connection refused", "refused the connection"),
    ("Name or service not known", "has a name that cannot be resolved"),
    ("No route to host", "has no route to it"),
    ("timed out", "did not answer in time"),
    ("Connection aborted", "broke off the connection"),
    ("RemoteDisconnected", "broke off the connection"),
    ("Connection broken", "broke off the connection"),
    ("CERTIFICATE_VERIFY_FAILED", "has a TLS certificate that cannot be verified"),
    ("Tunnel connection failed", "cannot be reached by the proxy"),
)
_REQUEST = re.compile(
    r"Request \((?P<caller>[^()]*)\): (?P<status>\d{3}) (?P<method>[A-Z]+) (?P<url>\S+)"
)
_NO_LOGIN = " via SSH timed out"
_LOGIN_FAILURE = re.compile(
    r"Failed to establish authenticated ssh connection to (?P<user>[^()\s]{1,200}) "
    r"\((?P<why>[^()]{1,200}?)\.?\)"
)
# A relay has the URL that it forwards to as its path.
_BESIDE_THE_PATH = re.compile(r"^(?:[^:/?#]*:)?(?://[^/?#]*)?(?:/https?://[^/?#]*)?|[?#].*")
# Resources that can fail to build, and the services that build them.
_THINGS = {
    "backup": _SERVICES["volume"],
    "image": _SERVICES["image"],
    "server": _SERVICES["compute"],
    "snapshot": _SERVICES["volume"],
    "volume": _SERVICES["volume"],
}
_THING = re.compile(rf"(?P<thing>{'|'.join(_THINGS)}) \S+ failed to build\b", re.IGNORECASE)
_BODY = re.compile(r"Body: (?P<body>[^\n]*)")
_MISSING_KEY = re.compile(r"^KeyError: '(?P<key>\w+)'")
# The frame of an error that a client of Tempest raised, rather than a test.
_RAISED_BY_CLIENT = re.compile(
    r'File "[^"]*tempest/lib/(?:services/|auth|common/(?:rest_client|api_version_utils))'
)
_REQUEST_ID = re.compile(r"'x-(?:openstack-request|compute-request|trans)-id': '(?P<id>[^']+)'")
# The steps of a test after it failed.
_CLEAN_UP = ("_run_cleanups", "tearDown")
# The first that matches an error is the kind; without a match it is a wrong response.
_KINDS = (
    (CauseKind.CONFIG, re.compile(r"CERTIFICATE_VERIFY_FAILED|InvalidConfiguration")),
    (CauseKind.RESOURCE, re.compile(r"BuildErrorException|in ERROR status|into ERROR|ERROR state")),
    (CauseKind.QUOTA, re.compile(r"OverLimit|[Qq]uota exceeded|Quota has been")),
    (CauseKind.QUOTA, re.compile(r"^(?>.*?exceeds? ).*quota", re.MULTILINE)),
    (CauseKind.SERVICE_MISSING, re.compile(r"EndpointNotFound")),
    (CauseKind.SERVICE_MISSING, re.compile(r"^(?>.*?[Nn]o ).*endpoint", re.MULTILINE)),
    (CauseKind.EXTENSION_MISSING, re.compile(r"exceptions\.NotImplemented|Extension with alias")),
    (
        CauseKind.CREDENTIAL,
        re.compile(r"exceptions\.(?:Unauthorized|Forbidden|InvalidCredentials)|[Pp]olicy doesn't"),
    ),
    (
        CauseKind.TIMEOUT,
        re.compile(r"Timeout(?:Exception|Error)?\b|[Tt]imed out|within the required"),
    ),
    (
        CauseKind.TEST,
        re.compile(
            r"^(?:AttributeError|ImportError|IndexError|KeyError|ModuleNotFoundError|NameError|"
            r"TypeError|UnboundLocalError|ValueError)\b"
        ),
    ),
)
_SKIP_KINDS = (
    (CauseKind.CREDENTIAL, re.compile(r"credential|2147232|\badmin\b|\brole\b", re.I)),
    (CauseKind.EXTENSION_MISSING, re.compile(r"extension", re.I)),
    (CauseKind.SERVICE_MISSING, re.compile(r"service|not available|endpoint", re.I)),
)
REMEDIES = {
    CauseKind.UNREACHABLE: "check that the service runs and can be reached from here, then "
    "continue with --resume RUN --rerun-failed",
    CauseKind.SERVICE_MISSING: "deploy the service, register its endpoint, or choose a programme "
    "that does not require it",
    CauseKind.EXTENSION_MISSING: "enable the extension in the service, or list it in the "
    "configuration of Tempest (--set)",
    CauseKind.CREDENTIAL: "assign the roles that the policy of the API requires to the test users, "
    "or certify with an admin credential and without --accounts",
    CauseKind.QUOTA: "raise the quota of the test projects, or run fewer tests at a time "
    "(--concurrency)",
    CauseKind.CONFIG: "set the right value with --set section.option=value",
    CauseKind.TIMEOUT: "find out why the service is slow, or raise the timeout, for example "
    "--set compute.build_timeout=…",
    CauseKind.RESOURCE: "search for the request ID in the log of the service, which could not "
    "create the resource",
    CauseKind.WRONG_RESPONSE: "compare the call with the API reference: the response differs from "
    "what it promises",
    CauseKind.TEST: "report a bug to Tempest, and request a flag in the guideline (D401)",
}
"""What to do about each kind of cause."""
_QUALIFIED = re.compile(r"^(?P<module>[\w.]+)\.(?P<name>\w+)(?:: (?P<message>.*))?$", re.DOTALL)

ONLY_WITH_TENANTS_OF_TEMPEST = (
    "Tempest skips it unless it creates the test projects itself, as an admin "
    "(https://launchpad.net/bugs/2147232)"
)
# Clearer reasons for skips than those of Tempest.
_SKIPS = (("bug#2147232", ONLY_WITH_TENANTS_OF_TEMPEST),)


def of_skip(text: str) -> tuple[str, Cause]:
    """Return why a test skipped, from its ``reason`` attachment."""
    kind = next((kind for kind, sign in _SKIP_KINDS if sign.search(text)), CauseKind.CONFIG)
    reason = next((sentence for sign, sentence in _SKIPS if sign in text), _one_line(text))
    return reason or "skipped without a reason", Cause(kind)


def of_failure(test_name: str, traceback: str, log: str) -> tuple[str, Cause]:
    """Return why a test failed, from its ``traceback`` and ``pythonlogging`` attachments."""
    error, log = _error(traceback)[:_LONGEST_ERROR], log[-_LONGEST_LOG:]
    return _one_line(_failure(test_name, error, traceback, log)), _cause(error, log)


def _cause(error: str, log: str) -> Cause:
    kinds = (kind for kind, sign in _KINDS if sign.search(error))
    unreachable = CauseKind.UNREACHABLE if any(sign in error for sign, _ in _HOW) else None
    kind = next(kinds, None)
    if unreachable and kind not in (CauseKind.CONFIG, CauseKind.TIMEOUT):
        return Cause(unreachable)
    if kind is CauseKind.TEST and _lacking(error, log):
        kind = CauseKind.WRONG_RESPONSE
    kind = kind or CauseKind.WRONG_RESPONSE
    return Cause(kind, _call(log, kind))


def _call(log: str, kind: CauseKind) -> Call | None:
    """Return the call at which a test failed: its last one with an error, else its last one.

    For a resource in error it is the call that asked for the resource.
    """
    requests = list(_REQUEST.finditer(log))
    if not requests:
        return None
    ends = [*(request.start() for request in requests[1:]), len(log)]
    own = [
        (request, end)
        for request, end in zip(requests, ends, strict=True)
        if not any(sign in request["caller"] for sign in _CLEAN_UP)
    ]
    if not own:
        return None
    posts = [(request, end) for request, end in own if request["method"] == "POST"]
    failed = [(request, end) for request, end in own if int(request["status"]) >= 400]
    likely = posts if kind is CauseKind.RESOURCE else failed
    request, end = (likely or own)[-1]
    request_id = _REQUEST_ID.search(log, request.end(), end)
    return Call(
        method=request["method"],
        path=_BESIDE_THE_PATH.sub("", request["url"]),
        status=int(request["status"]),
        request_id=request_id["id"] if request_id else "",
    )


def _failure(test_name: str, error: str, traceback: str, log: str) -> str:
    connection = _CONNECTION.search(error)
    for sign, how in _HOW:
        if sign in error and _NO_LOGIN not in error:
            url = _URL_IN_ERROR.search(error)
            path = url["path"] if url else ""
            who = _service(test_name, path, traceback)
            server = f"{connection['host']}:{connection['port']}" if connection else ""
            if named := _SERVER_IN_URL.match(path):
                server = named["server"]
            where = f" at {server}" if server else ""
            return f"{who}{where} {how}"
    reason = _no_login(error, log) or _sentence(error) or "failed without a traceback"
    thing = _THING.match(reason)
    if thing:
        return f"{_THINGS[thing['thing'].lower()]}: {reason}"
    server_errors = [call for call in _REQUEST.finditer(log) if int(call["status"]) >= 500]
    if server_errors:
        last = server_errors[-1]
        who = _service(test_name, last["url"])
        return f"{who} answered {last['status']} to {last['method']}: {reason}"
    if lacking := _lacking(error, log):
        request, key = lacking
        who = _service(test_name, request["url"])
        return f"{who} answered {request['status']} to {request['method']} without {key}"
    if _is_raised_by_client(traceback):
        return f"{_service(test_name, '', traceback)}: {reason}"
    return reason


def _no_login(error: str, log: str) -> str:
    """Return why a test could not log in to a guest; "" if it failed otherwise."""
    last = collections.deque(_LOGIN_FAILURE.finditer(log) if _NO_LOGIN in error else (), maxlen=1)
    return "".join(f"cannot log in to a guest as {one['user']}: {one['why']}" for one in last)


def _lacking(error: str, log: str) -> tuple[re.Match[str], str] | None:
    """Return the response in which a test did not find a key, and the key."""
    missing = _MISSING_KEY.search(error)
    requests = list(_REQUEST.finditer(log))
    if not missing or not requests:
        return None
    bodies = [match["body"] for match in _BODY.finditer(log, requests[-1].end())]
    key = f'"{missing["key"]}"'
    has_key = any(key in body for body in bodies)
    return None if has_key or not bodies else (requests[-1], missing["key"])


def _is_raised_by_client(traceback: str) -> bool:
    frames = [line for line in traceback.splitlines() if line.lstrip().startswith('File "')]
    return bool(frames) and bool(_RAISED_BY_CLIENT.search(frames[-1]))


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
