"""Verify a statement in a DSSE envelope: python verify_statement.py ENVELOPE.json KEY.pem"""

import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

file, public_key = map(Path, sys.argv[1:])
key = load_pem_public_key(public_key.read_bytes())
scheme = "rsa-pkcs1v15-sha256" if isinstance(key, RSAPublicKey) else None
envelope = Envelope.from_dict(json.loads(file.read_text()))
envelope.verify([SSlibKey.from_crypto(key, scheme=scheme)], threshold=1)

statement = Statement.copy_from_pb(json_format.Parse(envelope.payload, Message()))
statement.validate()
predicate = json_format.MessageToDict(statement.pb)["predicate"]
result = predicate.get("result") or predicate["verificationResult"]
print(statement.pb.subject[0].name, statement.pb.predicate_type, result)
