"""Certify in a container, started from outside of it through a container engine.

``engine`` finds docker or podman. ``image`` builds, saves and loads. ``payload_of`` collects what a
container needs, ``payload`` hands it over. ``launch`` runs one container, ``orchestrate`` several
at the same time. ``manifests`` prints them for other machines. ``watchdog`` removes a container
whose launcher dies, ``orphans`` finds those that the watchdog missed.
"""
