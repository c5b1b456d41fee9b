# A controller starts the client in the background and waits for a sentence in its log.
# expect: the result is at http
set -e
source tenantrc
cd refstack-client
source .venv/bin/activate
refstack-client config --use-test-accounts "$ACCOUNTS" --overrides auth.default_credentials_domain_name=Default,validation.run_validation=false
./refstack-client test --upload --url "$REFSTACK" -c etc/tempest.conf -vv -- --load-list=../short-list.txt > output.log 2>&1 &
for second in $(seq 120); do
    if grep -q "^URL: " output.log; then break; fi
    sleep 1
done
wait
grep -q "JSON results saved in" output.log
echo "the result is at $(grep '^URL: ' output.log | cut -d' ' -f2)"
