# A key is registered with what sign prints; results of a stream are uploaded, listed and read back.
# expect: Test results will be uploaded to http
# expect: Test results uploaded!
# expect: listed
set -e
source refstack-client/.venv/bin/activate
ssh-keygen -q -t rsa -b 2048 -m PEM -N "" -f key
refstack-client sign -y key > signed.txt
test "$(sed -n 2p signed.txt | cut -d' ' -f1)" = ssh-rsa
test "$(grep -A1 '^Self signature:' signed.txt | tail -n1 | wc -c)" = 513
echo y | refstack-client upload-subunit \
    --keystone-endpoint https://keystone.example.org:5000/v3 run.subunit \
    --url "$REFSTACK" | tee uploaded.txt
url=$(grep '^URL: ' uploaded.txt | awk '{print $2}')
refstack-client list --url "$REFSTACK" -s -y -i id_rsa.refstack --start-date "2015-04-24 01:23:56" | awk '{print $NF}' > urls.txt
grep -qx "$url" urls.txt && echo listed
echo yes | refstack-client upload -v --insecure -i id_rsa.refstack results.json --url "$REFSTACK"
