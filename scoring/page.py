"""Pages in one file: a package's templates over the common ``base.html``."""

import functools

import jinja2


@functools.cache
def template(package: str, name: str) -> jinja2.Template:
    """Return the template ``name`` of ``package``; what is filled in is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(package), jinja2.PackageLoader("scoring")]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
