"""Changes to the responses of services, so that clients see a cloud of another shape.

Pure functions over the JSON documents of the APIs.
"""

import re


def with_catalog(document, catalog, project):
    """Return a response of Keystone with another catalog, where it has one.

    :param catalog: services; "%(project_id)s" in a URL is the project
    :param project: the ID of the token's project; None for a token without one
    """
    if "catalog" in document:
        return {**document, "catalog": [_of_project(service, project) for service in catalog]}
    if "catalog" in document.get("token", {}):
        return {**document, "token": with_catalog(document["token"], catalog, project)}
    return document


def _of_project(service, project):
    # As Keystone, which leaves out the endpoints that need a project.
    return {
        **service,
        "endpoints": [
            {**endpoint, "url": endpoint["url"].replace("%(project_id)s", project or "")}
            for endpoint in service["endpoints"]
            if project or "%(project_id)s" not in endpoint["url"]
        ],
    }


def with_roles(document, names):
    """Return a response of Keystone with other names of roles.

    :param names: by name in Keystone; None for a role that is left out
    """
    if isinstance(document, list):
        return [with_roles(item, names) for item in document]
    if not isinstance(document, dict):
        return document
    return {key: _with_roles(key, value, names) for key, value in document.items()}


def _with_roles(key, value, names):
    if key in ("roles", "implies") and isinstance(value, list):
        return [_renamed(role, names) for role in value if _is_shown(role, names)]
    if key == "role_assignments":
        return [with_roles(item, names) for item in value if _is_shown(item["role"], names)]
    if key in ("role", "prior_role"):
        return _renamed(value, names)
    return with_roles(value, names)


def _is_shown(role, names):
    return names.get(role.get("name"), "") is not None


def _renamed(role, names):
    return {**role, "name": names[role["name"]]} if names.get(role.get("name")) else role


def with_role_names(path, names):
    """Return the path of a request with the names that Keystone has for roles in its query."""
    for name, shown in names.items():
        path = path.replace(f"name={shown}", f"name={name}") if shown else path
    return path


def with_links(text, origin, to_path, links):
    """Return a text whose URLs at the origin of the request begin with ``links`` instead.

    :param to_path: the path at the service that ``links`` stands for
    """
    return re.sub(rf"http://{re.escape(origin + to_path)}(?!\d)", lambda match: links, text)
