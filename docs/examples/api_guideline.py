"""Load a shipped guideline and list the tests of one of its programmes."""

from capabilities import Status, find_programme, load

guideline, findings = load("2020.06")
print(f"{guideline.id}: {guideline.status}, schema {guideline.schema}, {len(findings)} findings")

storage = find_programme(guideline, "storage")
for capability in storage.capabilities(Status.REQUIRED):
    print(f"{capability.id}: {len(capability.tests)} tests")

print(f"{len(storage.counted_tests())} tests decide the verdict:")
for test in storage.counted_tests():
    print(f"  {test.name} [{test.idempotent_id}]")
