"""The visitor report as one HTML page that needs nothing else and prints well, on paper or to PDF."""

from html import escape
from typing import Final

from footfall_assets.reporting.formats import COLUMNS, WINDOW_COLUMN, footnotes, header, visitors_frame
from footfall_assets.reporting.provenance import Provenance, definitions
from footfall_assets.reporting.visitor_report import VisitorReport

ROWS_AT_MOST: Final = 5_000  # some 150 printed pages; more is for CSV and Parquet
_NUMBERS: Final = ("Total Appearances", "Visits")
# Nothing is fetched and nothing runs: the policy says so to the browser as well.
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Unique Visitor Report</title>
<style>
@page {{ size: A4; margin: 16mm 14mm 18mm; }}
* {{ box-sizing: border-box; }}
body {{ font: 10.5pt/1.45 system-ui, -apple-system, "Segoe UI", Arial, sans-serif; color: #1b2a30; margin: 0 auto;
  max-width: 60rem; padding: 1.5rem; }}
h1 {{ font-size: 18pt; margin: 0 0 .8rem; padding-bottom: .4rem; border-bottom: 2.5px solid #0f5c6e; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0 0 1.2rem; }}
dt {{ font-weight: 600; }}
dd {{ margin: 0; }}
table {{ width: 100%; border-collapse: collapse; }}
thead {{ display: table-header-group; }}
th {{ text-align: left; border-bottom: 1.5px solid #0f5c6e; padding: .35rem .6rem .35rem 0; vertical-align: bottom; }}
td {{ border-bottom: .5px solid #d5dde0; padding: .28rem .6rem .28rem 0; vertical-align: top;
  overflow-wrap: anywhere; }}
tr {{ break-inside: avoid; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
.id {{ font-variant-numeric: tabular-nums; white-space: nowrap; }}
.notes, .words {{ margin-top: 1.2rem; font-size: 9pt; color: #43545b; }}
.notes p {{ margin: .15rem 0; }}
.words {{ break-inside: avoid; }}
.words dl {{ font-size: 9pt; gap: .1rem .8rem; }}
@media screen and (max-width: 600px) {{
  body {{ padding: .8rem; }} dl {{ display: block; }} dd {{ margin-bottom: .4rem; }}
  table {{ display: block; overflow-x: auto; }} td {{ overflow-wrap: normal; }}
}}
@media print {{ body {{ padding: 0; max-width: none; }} }}
</style>
</head>
<body>
<h1>Unique Visitor Report</h1>
<dl>
{head}
</dl>
<table>
<thead><tr>{columns}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
<div class="notes">
{notes}
</div>
<div class="words">
<dl>
{words}
</dl>
</div>
</body>
</html>
"""


def to_html(report: VisitorReport, provenance: Provenance, *, most: int = ROWS_AT_MOST) -> str:
    """Return the report as an HTML document; of a longer list the first `most` rows, and how many more there are."""
    frame = visitors_frame(report).head(most)
    names = [*COLUMNS, *([WINDOW_COLUMN] if report.crosses_windows else [])]
    left_out = report.listed_visitors - len(frame)
    notes = footnotes(report, provenance)
    if left_out > 0:
        notes = [f"Printed: the first {len(frame):,} rows; {left_out:,} more are in the CSV and Parquet forms.", *notes]
    return _PAGE.format(
        head=_terms(dict(header(report))),
        columns="".join(f"<th{_class(name)}>{escape(name)}</th>" for name in names),
        rows="\n".join(
            "<tr>" + "".join(f"<td{_class(name)}>{escape(str(row[name]))}</td>" for name in names) + "</tr>"
            for row in frame.to_dict("records")
        ),
        notes="\n".join(f"<p>{escape(note)}</p>" for note in notes),
        words=_terms(definitions(report.visit_gap_s)),
    )


def _terms(named: dict[str, str]) -> str:
    return "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in named.items())


def _class(name: str) -> str:
    if name in _NUMBERS:
        return ' class="number"'
    return ' class="id"' if name == "Visitor ID" else ""
