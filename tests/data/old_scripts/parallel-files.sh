# Files of regular expressions for tempest run, and several tests at the same time.
# expect: Passed: 3
# expect: Failed: 0
set -e
source tenantrc
cat > include.txt <<END
# the tests of this cloud
tempest\.api\.object_storage\.test_container_services\.ContainerTest\.test_(create|delete)_container
TokensV3Test.test_create_token
END
echo 'overwrite|max_length|_metadata_|unicode|special' > exclude.txt
refstack-client/refstack-client config --use-test-accounts "$ACCOUNTS" --out tempest.conf
refstack-client/refstack-client test --parallel -c tempest.conf -v -- --whitelist_file include.txt --blacklist_file exclude.txt
