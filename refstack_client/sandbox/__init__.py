"""A real, small OpenStack on loopback, from PyPI alone.

``profile`` says what a sandbox is made of, ``environment`` installs it, ``daemon`` starts and stops
its processes, ``cloud`` brings the whole up and down.
"""
