# A guide of a vendor: a tempest.conf and an accounts file written by hand, with tenant_name.
# expect: Worker 0 (1 tests)
# expect: uuid
set -e
mkdir -p "$HOME/.tempest/etc"
sed -e 's/project_name/tenant_name/' -e '/domain_name/d' "$ACCOUNTS" > "$HOME/.tempest/etc/accounts.yaml"
cat > "$HOME/.tempest/etc/tempest.conf" <<END
[auth]
use_dynamic_credentials = False
test_accounts_file = ~/.tempest/etc/accounts.yaml
[identity]
uri_v3 = $KEYSTONE
auth_version = v3
[object-storage]
operator_role = SwiftOperator
[service_available]
nova = False
glance = False
cinder = False
neutron = False
swift = True
END
cd refstack-client
./refstack-client test \
    -c ~/.tempest/etc/tempest.conf \
    -v \
    -- --regex 'ContainerTest.test_create_container\[' | tee -a reflog.txt
cat .tempest/.stestr/0.json
