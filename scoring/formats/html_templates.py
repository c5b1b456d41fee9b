"""Pages in one file: a package's templates over the common ``base.html``."""

import functools

import jinja2


@functools.cache
def template(package: str, name: str, *beneath: str) -> jinja2.Template:
    """Return the template ``name`` of ``package``; what is filled in is escaped.

    :param beneath: packages whose templates it may build on, besides the common ones
    """
    packages = (package, *beneath, "scoring.formats")
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(each) for each in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
