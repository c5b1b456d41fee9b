"""Read a subunit stream, judge it and write a report: python api_report.py STREAM REPORT.html"""

import sys
from pathlib import Path

import refstack_client
from capabilities import find_programme, load

stream, report = map(Path, sys.argv[1:])
guideline, _ = load("2020.06")
storage = find_programme(guideline, "storage")

verdict = refstack_client.judge(storage, refstack_client.read_stream(stream))
report.write_text(refstack_client.html_report(verdict), encoding="utf-8")
print("\n".join(refstack_client.text_report(verdict)))
