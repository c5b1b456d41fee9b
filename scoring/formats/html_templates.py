"""Jinja templates of several packages for self-contained pages over the common ``base.html``."""

import functools
import hashlib
from importlib import resources

import jinja2


@functools.cache
def digest(package: str, *names: str) -> str:
    """Return the start of the SHA-256 of templates of a package, with the common one."""
    places = [resources.files(package) / "templates" / name for name in names]
    common = resources.files("scoring.formats") / "templates" / "base.html"
    content = b"\0".join(place.read_bytes() for place in (*places, common))
    return hashlib.sha256(content).hexdigest()[:16]


@functools.cache
def template(package: str, name: str, *beneath: str) -> jinja2.Template:
    """Return the template ``name`` of ``package``; values are HTML-escaped.

    :param beneath: packages whose templates it may extend or include, besides the common ones
    """
    packages = (package, *beneath, "scoring.formats")
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
