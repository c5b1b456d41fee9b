"""Open a bundle and verify it: python api_bundle.py BUNDLE.zip ALLOWED_SIGNERS"""

import sys
from pathlib import Path

import refstack_client

bundle, signers = map(Path, sys.argv[1:])
results = refstack_client.open_results(bundle)
print(f"{len(results.outcomes.attempts)} tests, not verified")

verification = refstack_client.verify_bundle(bundle, signers)
for check in verification.checks:
    print(f"{check.name}: {'passed' if check.passed else 'failed'}: {check.found}")
if verification.is_valid and verification.verdict:
    print(refstack_client.headline(verification.verdict))
