"""Write the words and names that public reasons may have into refstack_client/data.

``public_words.txt`` has the words of the messages that the pinned releases of the tested services,
of Tempest and of its libraries contain: of exceptions, assertions, skips and translated texts, and
those of this project, of HTTP and of the operating system. ``public_names.txt`` has the names that
are public with their source: exceptions, tests, their ids, extensions, parts of API paths.

``public_words.py`` downloads what constraints.txt pins of :data:`PACKAGES`. Review the difference
after each update: a word that could name a host, a user or a place by itself is in :data:`DENIED`.
"""

import ast
import builtins
import http
import json
import os
import re
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from known_packages import ROOT, TESTS, identifier_of, wheel

from capabilities import catalogue
from capabilities.tempest_id import class_of

DATA = ROOT / "refstack_client" / "data"
TEMPEST = ("tempest", "designate-tempest-plugin", "heat-tempest-plugin")
LIBRARIES = ("jsonschema", "keystoneauth1", "openstacksdk", "requests", "testtools", "urllib3")
SERVICES = ("cinder", "glance", "keystone", "keystonemiddleware", "neutron", "neutron-lib", "nova")
SERVICES += ("oslo-db", "oslo-limit", "oslo-messaging", "oslo-policy", "swift", "webob")
PACKAGES = (*TEMPEST, *LIBRARIES, *SERVICES)
OWN = ("refstack_client/outcomes", "scoring/conformance")
"""The modules of this project that write reasons."""

# What no API shows: commands, agents, and drivers with the names of vendors.
_NOT_SHOWN = re.compile(
    r"(^|/)(agent|cmd|conf|db/migration|drivers?|hacking|image_backend|migrations|ml2|opts|plugins"
    r"|privsep|tests?|virt|zonemanager)(/|_|\.py)|(?<!tempest)/tests/"
)
# The names of the variables that have a message in the services' and Tempest's source.
_MESSAGE = re.compile(r"_?(detail|err|error|explanation|message|msg|msg_fmt|reason|title)s?\w{0,4}")
_RAISING = re.compile(
    r"_|_\w?|assert\w+|expectThat|fail|skip\w*|\w*(Error|Exception|HTTP\w+)|debug"
)
_PLACEHOLDER = re.compile(r"%\(\w+\)[sdrxf]|%[sdrxf]|\{[^{}\s]*\}|\$\{?\w+\}?|<[^<>]*>")
_WORD = re.compile(r"(?<![\w.\-/:%@\\])[A-Za-z]+(?:'(?:t|s|re))?(?![\w\-/@\\=]|[.:'(]\w)")
_STATE = re.compile(r"[A-Z]{3,20}(?:_[A-Z]{2,20})*")
_ERROR = re.compile(r"exception|(Error|Exception|Fault|HTTP\w+|Warning)$")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_:-]{2,40}")
_SEGMENT = re.compile(r"(?!v\d)[A-Za-z][A-Za-z0-9_-]{2,40}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{2,}")
# Common words of messages that are made at run time, by libvirt, OpenSSL, QEMU and web servers.
MORE = """
    abort aborting absent actual alias amount answer answered api barbican bug busy certificate
    certs chain char cinder closed connectable crashed delete designate dial dns endpoints eof
    erred error's expiry gateway gb get gib glance got handshake head heat horizon hostname html
    http https hung hypervisor incapable ironic issuer json keystone kib killed libvirt locally
    login lookup magnum manila mb mib mismatched ms namespace neutron nova octavia oops openssl
    openstack options overloaded patch placement pool post proxied put qemu recv refused
    rejecting resend reset resolution retried retries retry retryafter s sandbox scheduling sec
    secs self servname setup setupclass shut signed slow ssh ssl stale stuck subject swift tcp
    teardown teardownclass tempest throttled title tls trust udp unauthenticated unresolvable
    untrusted upstream verified verify wrong xml
"""
# Names of messages in which hyphens or underscores join words.
MORE_NAMES = """
    block-storage certificate_verify_failed class-level clean-up content-type error_deleting
    error_restoring in-use object-store re-authenticate self-signed set-up
    sslcertverificationerror tear-down www-authenticate x-account-container-count
    x-account-object-count x-container-bytes-used x-container-object-count
    x-openstack-request-id x-timestamp x-trans-id
"""
FIXTURES = ("setUpClass", "tearDownClass", "setUp", "tearDown", "_run_cleanups")
# Articles, units, and what stands before a quote in Python.
LETTERS = set("abeisu")
# Words of messages that are names of hosts, regions, users, projects or products elsewhere.
DENIED = """
    aaaa aabbccdd acme admin1 alice alpha amazon anode apollo aws azure backend balancer bar
    bastion baz berlin beta bob bogus brew brick brocade centos central ceph cirros clue coffee
    controller controllers corp cyborg darkhole db dd debian dell delta demo dev devname
    devstack earth east emc eventlet example expectedto fedora foo frankfurt fred frontend gamma
    gold google hack hello hitachi huawei hyper ibm jumphost lab leader linux localdomain london
    magic mars master metal monitor nameserver nameservers netapp north olicy paris pike primary
    prod production qq queens rackspace redhat reseller rocky runtest sane secondary silver
    slave south staging standby super suse teapot test1 tokyo ubuntu universe uota uptogether
    venus vmware west windows worker workers world xen xenix zababun zahlabut zeus
"""


def main() -> None:
    """Write both files."""
    denied = set(DENIED.split())
    messages, names = Counter[str](), set[str]()
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for requirement in pinned:
        name = requirement.partition("==")[0]
        if name not in PACKAGES:
            continue
        with tempfile.TemporaryDirectory() as place, wheel(requirement, place) as it:
            for path, tree in sources(it):
                # A word that a service uses in one message only is often a name.
                weight = 1 if name in SERVICES else 2
                messages.update(dict.fromkeys(words(strings(tree)), weight))
                if name in TEMPEST:
                    messages.update(dict.fromkeys(states(tree), 2))
                names.update(public_names(path, tree, name))
        sys.stdout.write(f"{requirement}\n")
    known = {word for word, weight in messages.items() if weight >= 2}
    known.update(words(own()), words(platform()), MORE.split())
    known = {word for word in known - denied if len(word) > 1 or word in LETTERS}
    write(DATA / "public_words.txt", known)
    names.update(tests(), builtin_errors(), FIXTURES, MORE_NAMES.split())
    write(DATA / "public_names.txt", (name for name in names if name.lower() not in denied))


def write(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in sorted(set(lines))), encoding="utf-8")


def sources(packed: zipfile.ZipFile) -> Iterator[tuple[str, ast.Module]]:
    """Yield path and syntax tree of each module whose messages an API or a test can show."""
    for path in packed.namelist():
        is_test = path.partition("/")[0].endswith(("tempest", "tempest_plugin"))
        hidden = "/tests/" in path and path.startswith("tempest/") if is_test else False
        if path.endswith(".py") and not hidden and (is_test or not _NOT_SHOWN.search(path)):
            yield path, ast.parse(packed.read(path))


def strings(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of exceptions, assertions, translations and variables for messages."""
    for node in ast.walk(tree):
        if is_message(node):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def is_message(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return any(_MESSAGE.fullmatch(getattr(target, "id", "")) for target in node.targets)
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return bool(_RAISING.fullmatch(called))
    return isinstance(node, (ast.Raise, ast.Assert))


def words(texts: Iterable[str]) -> set[str]:
    """Return the plain words of texts with spaces, in lower case."""
    sentences = (_PLACEHOLDER.sub(" ", text) for text in texts if " " in text.strip())
    return {word.lower() for text in sentences for word in _WORD.findall(text)}


def states(tree: ast.AST) -> set[str]:
    """Return the states that Tempest compares those of resources with."""
    return {text.lower() for text in constants(tree) if _STATE.fullmatch(text) and "_" not in text}


def constants(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def public_names(path: str, tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the names of exceptions, and of Tempest the tests, states, extensions and paths."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and ("exception" in module or is_error(node)):
            yield node.name
            yield f"{module}.{node.name}"
    if package in TEMPEST:
        yield from names_of_tempest(module, tree)


def is_error(node: ast.ClassDef) -> bool:
    names = (node.name, *map(ast.unparse, node.bases))
    return any(_ERROR.search(name) for name in names)


def names_of_tempest(module: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            if any(map(identifier_of, decorators(methods))):
                yield node.name
                yield f"{module}.{node.name}"
                yield from (method.name for method in methods if method.name.startswith("test_"))
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("is_extension_enabled", "requires_ext"):
                yield from filter(_NAME.fullmatch, constants(node))
    for text in constants(tree):
        if "_" in text and _STATE.fullmatch(text):
            yield text
        if ".lib.api_schema." in module:
            yield from filter(_KEY.fullmatch, [text])
        if ".lib.services." in f"{module}." and " " not in text:
            parts = filter(_SEGMENT.fullmatch, re.split(r"[/?=&]", text))
            yield from (part for part in parts if not part.endswith(("Client", "-")))


def decorators(methods: Iterable[ast.FunctionDef]) -> Iterator[ast.expr]:
    return (decorator for method in methods for decorator in method.decorator_list)


def own() -> Iterator[str]:
    """Yield the texts of this project that are reasons."""
    for directory in OWN:
        for path in (ROOT / directory).glob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            documentation = {
                ast.get_docstring(node, clean=False)
                for node in ast.walk(tree)
                if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            }
            texts = (text for text in constants(tree) if text not in documentation)
            yield from (f"- {text.strip()} -" for text in texts)


def platform() -> Iterator[str]:
    """Yield the phrases of HTTP, of the operating system and of failed look-ups of names."""
    for status in http.HTTPStatus:
        yield f"{status.phrase} - {status.description}"
    yield from (f"{os.strerror(number)} -" for number in range(1, 134))
    yield "Temporary failure in name resolution. Name or service not known. "
    yield " ".join(method.value for method in http.HTTPMethod)


def builtin_errors() -> Iterator[str]:
    for name, found in vars(builtins).items():
        if isinstance(found, type) and issubclass(found, BaseException):
            yield name


def tests() -> Iterator[str]:
    """Yield the classes, methods and ids of the tests of guidelines and published releases."""
    for identifier, methods in json.loads(TESTS.read_text(encoding="utf-8")).items():
        yield f"id-{identifier}"
        yield from methods
    for guideline in catalogue.shipped():
        for capability in catalogue.load(guideline)[0].capabilities.values():
            for test in capability.tests:
                for name in test.names:
                    yield class_of(name)
                    yield from name.split(".")[-2:]
                if test.idempotent_id:
                    yield test.idempotent_id


if __name__ == "__main__":
    main()
