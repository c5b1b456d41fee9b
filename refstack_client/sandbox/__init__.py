"""A real, small OpenStack on loopback, installed from PyPI.

``lifecycle`` brings a sandbox up and down. From the tables to the processes:

``service_model``, ``profiles``   what a sandbox is made of
``state``, ``ports``              its directory, settings, secrets and ports
``deployment``                    what the templates of the tables are filled with
``virtualenv``, ``schema_cache``  the installed services and their empty databases
``guest``, ``build_cache``        what guests boot from; building it and the services once
``daemon``, ``processes``         starting and stopping processes
``services``                      preparation, start and health of the services
``credentials``, ``bootstrap``    clouds.yaml, catalog, users and resources for tests
``faults``, ``fault_proxy``       latency and faults
``programs/``                     programs that run in the virtual environment of the services

It imports nothing of the other packages of ``refstack_client``.
"""
