# A role's first task: one short test shows that tempest.conf is usable.
# expect: TokensV3Test.test_create_token
# expect: ok
# expect: Passed: 1
set -ex
cd refstack-client
source .venv/bin/activate
source ../adminrc
refstack-client config --out etc/tempest.conf
refstack-client test \
    -c etc/tempest.conf -v -- --regex tempest.api.identity.v3.test_tokens.TokensV3Test.test_create_token
