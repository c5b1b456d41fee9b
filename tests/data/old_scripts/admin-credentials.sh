# The documented pair for an admin: the variables of an openrc file, no options at all.
# expect: JSON results saved in: .tempest/.stestr/0.json
set -e
source adminrc
cd refstack-client
./refstack-client config
./refstack-client test -c etc/tempest.conf -- tempest.api.object_storage.test_container_services.ContainerTest.test_create_container
grep -c '"name"' .tempest/.stestr/0.json
