"""Verify a statement in a DSSE envelope: python verify_statement.py ENVELOPE.json KEY.pem"""

import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

file, key = map(Path, sys.argv[1:])
envelope = Envelope.from_dict(json.loads(file.read_text()))
# For an RSA key, name its scheme besides: scheme="rsa-pkcs1v15-sha256".
envelope.verify([SSlibKey.from_crypto(load_pem_public_key(key.read_bytes()))], threshold=1)

statement = Statement.copy_from_pb(json_format.Parse(envelope.payload, Message()))
statement.validate()
print(statement.pb.subject[0].name, statement.pb.predicate["result"])
