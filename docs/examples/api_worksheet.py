"""Score a worksheet: the total of each capability, and what is recommended."""

from pathlib import Path

from capabilities import find_programme, load
from scoring import exact_total, find_criteria, read_worksheet, recommend

worksheet = read_worksheet(Path(__file__).parent / "worksheet.txt")
criteria = find_criteria("2016.08")
guideline, _ = load("2020.06")
storage = find_programme(guideline, "storage")

for row in worksheet.rows:
    total = exact_total(row, criteria)
    recommendation = recommend(row, criteria, storage)
    points = f"{total.low}" if total.low == total.high else f"{total.low} to {total.high}"
    reasons = "; ".join(recommendation.against)
    print(
        f"{row.capability}: {points} of {criteria.most} points, cutoff {criteria.cutoff}: "
        f"{total.standing}; recommended: {recommendation.recommended}"
        + (f" ({reasons})" if reasons else "")
    )
