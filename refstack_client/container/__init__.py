"""The certification in a container, started from outside of it through a container engine.

``engine`` finds docker or podman, ``image`` builds, saves and loads, ``launch`` runs one container,
``caretaker`` looks after it should the launcher die, ``parcel`` is what is handed over, ``receive``
what takes it inside.
"""
