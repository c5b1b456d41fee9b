# A deployment test: failures are counted in the stream of the newest run, in version 1 of subunit.
# expect: failures: 1
# expect: failed: test_create_container
set -e
source adminrc
cd refstack-client
source .venv/bin/activate
refstack-client config
sed -i 's/^resource_name_prefix = .*/resource_name_prefix = name-with-a-\/-in-it/' etc/tempest.conf
refstack-client test -c etc/tempest.conf -v -- --regex '(ContainerTest.test_create_container|TokensV3Test.test_create_token)\[' || true
FILENAME=$(find .tempest/.stestr/ -name '*[0-9]' | sort -nr | head -n1)
echo "failures: $(grep -c "failure:" "$FILENAME" || true)"
grep '^failure:' "$FILENAME" | grep -o -P "(tempest+).*" | cut -d '[' -f 1 | sed 's/.*\./failed: /'
