# Three scripts of a nightly job: run silently, find the newest results, upload them signed.
# expect: Test results uploaded!
# expect: URL: http
set -e
source refstack-client/.venv/bin/activate
source tenantrc
refstack-client config --use-test-accounts="$ACCOUNTS" --out tempest.conf -s
cd refstack-client
refstack-client test -s -c ../tempest.conf --test-list ../short-list.txt -r nightly-2020.06 || exit 0
cd ..
resultfile=$(find refstack-client/.tempest/.stestr -name 'nightly-2020.06-*.json' | sort -r | head -n1)
PUSH_TO_REFSTACK=${PUSH_TO_REFSTACK:-true}
if [[ $PUSH_TO_REFSTACK == "true" ]]; then
    refstack-client upload $resultfile --url "$REFSTACK" -i id_rsa.refstack -y
fi
