# A job of a gate: configuration from an accounts file, then the list of a guideline by URL.
# expect: test_accounts_file
# expect: Number of passed tests: 5
set -ex
export PATH=$PATH:/usr/local/sbin:/usr/sbin
source tenantrc
cd refstack-client
./refstack-client config \
    --use-test-accounts "$ACCOUNTS" \
    --image https://download.example.org/cirros/0.6.2/cirros-0.6.2-x86_64-disk.img \
    --out "$WORK/tempest.conf"
cat "$WORK/tempest.conf" | grep -v admin_password
./refstack-client test -p -c "$WORK/tempest.conf" -v \
    --test-list "$REFSTACK/v1/guidelines/2020.06/tests?target=object&type=required&alias=true&flag=false"
