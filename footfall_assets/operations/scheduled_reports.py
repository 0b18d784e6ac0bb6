"""The `visitor_reports` asset: the visitor report of a day as files, one folder a location group, and its schedule."""

import hashlib
import json
import tempfile
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import dagster as dg
import duckdb

from footfall_assets.contracts.errors import NoData
from footfall_assets.contracts.publication import Publication
from footfall_assets.contracts.settings import ReportSettings
from footfall_assets.operations.jobs import REPORTS_JOB
from footfall_assets.partitions import day_partitions
from footfall_assets.platform import Platform
from footfall_assets.reporting.export import write_csv, write_parquet
from footfall_assets.reporting.printable import ROWS_AT_MOST, to_html
from footfall_assets.reporting.provenance import Provenance, provenance_of
from footfall_assets.reporting.publication import LONG_READ_FOR_S, current_publication, open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.selection import read_directory
from footfall_assets.reporting.visitor_list import all_visitors
from footfall_assets.reporting.visitor_report import VisitorReport, visitor_head

REPORTS_PREFIX: Final = "reports"
FILES: Final = ("visitors.csv", "visitors.parquet", "visitors.html")
_RECEIPT: Final = "report.json"  # what the files were made from and their hashes; written last


@dataclass(frozen=True)
class DayOfReports:
    """What became of the location groups of one day."""

    written: int = 0
    unchanged: int = 0
    without_data: int = 0


def report_folder(day: date, group: str) -> str:
    """Return where the files of a location group and day lie in the lake."""
    return f"{REPORTS_PREFIX}/{day}/{group}"


def write_reports(platform: Platform, publication: Publication, day: date) -> DayOfReports:
    """Write the report of a business day for each location group that has data on it.

    The files say the age of their data as of the publication, so that the same publication gives the same bytes; those
    that are already there are left alone. Where a group has no data any more, its files are removed.
    """
    written = unchanged = without_data = 0
    with open_visitors(platform.lake, publication, for_s=LONG_READ_FOR_S) as connection:
        known = read_directory(connection).locations
        for group in platform.registry.partition_groups():
            places = tuple(place for place in platform.registry.locations_of(group) if place in known)
            if _is_written(platform, publication, day, group):
                unchanged += 1
                continue
            try:
                _write_group(platform, connection, publication, day, group, places)
                written += 1
            except NoData:
                _remove(platform, day, group)
                without_data += 1
    return DayOfReports(written, unchanged, without_data)


def _write_group(
    platform: Platform,
    connection: duckdb.DuckDBPyConnection,
    publication: Publication,
    day: date,
    group: str,
    places: tuple[str, ...],
) -> None:
    if not places:  # an empty choice would mean all locations
        raise NoData(f"location group {group} has no location in the publication")
    request = ReportRequest(day, day, location_ids=places)
    gap_s = platform.settings.counting.visit_gap_s
    head = visitor_head(connection, request, visit_gap_s=gap_s)
    provenance = provenance_of(publication, now=publication.published_at)
    with tempfile.TemporaryDirectory(prefix="footfall-report-") as name:
        folder = Path(name)
        _write_files(connection, request, head, provenance, folder)
        hashes = {}
        for file in FILES:
            with (folder / file).open("rb") as source:
                hashes[file] = hashlib.file_digest(source, "sha256").hexdigest()
            platform.lake.upload(folder / file, f"{report_folder(day, group)}/{file}")
    receipt = {"publication_id": publication.publication_id, "visit_gap_s": gap_s, "places": places, "sha256": hashes}
    platform.lake.write(f"{report_folder(day, group)}/{_RECEIPT}", json.dumps(receipt, indent=2).encode())


def _write_files(
    connection: duckdb.DuckDBPyConnection,
    request: ReportRequest,
    head: VisitorReport,
    provenance: Provenance,
    folder: Path,
) -> None:
    gap_s = head.visit_gap_s
    with (folder / "visitors.csv").open("wb") as out:
        write_csv(out, head, all_visitors(connection, request, visit_gap_s=gap_s))
    write_parquet(folder / "visitors.parquet", head, provenance, all_visitors(connection, request, visit_gap_s=gap_s))
    printed = tuple(
        row for piece in all_visitors(connection, request, visit_gap_s=gap_s, most=ROWS_AT_MOST) for row in piece
    )
    html = to_html(replace(head, visitors=printed), provenance)
    (folder / "visitors.html").write_text(html, encoding="utf-8")


def _is_written(platform: Platform, publication: Publication, day: date, group: str) -> bool:
    key = f"{report_folder(day, group)}/{_RECEIPT}"
    if not platform.lake.exists(key):
        return False
    receipt = json.loads(platform.lake.read(key))
    asked = (publication.publication_id, platform.settings.counting.visit_gap_s)
    return (receipt.get("publication_id"), receipt.get("visit_gap_s")) == asked and all(
        platform.lake.exists(f"{report_folder(day, group)}/{file}") for file in FILES
    )


def _remove(platform: Platform, day: date, group: str) -> None:
    for file in (_RECEIPT, *FILES):  # the receipt first: without it the files say nothing
        key = f"{report_folder(day, group)}/{file}"
        if platform.lake.exists(key):
            platform.lake.delete(key)


def build_visitor_reports(first_day: date) -> dg.AssetsDefinition:
    """Return `visitor_reports` for a home that accepts data from `first_day` on."""

    @dg.asset(
        group_name="operations",
        kinds={"python"},
        partitions_def=day_partitions(first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=["publication"],
    )
    def visitor_reports(
        context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> dg.MaterializeResult[None]:
        """One folder per location group and day: the visitor report as CSV, Parquet and a page to print."""
        publication = current_publication(platform.lake)
        days = sorted(date.fromisoformat(key) for key in context.partition_keys)
        found = [write_reports(platform, publication, day) for day in days]
        return dg.MaterializeResult(
            metadata={
                "folder": dg.MetadataValue.path(f"{platform.settings.lake_root}/{REPORTS_PREFIX}"),
                "publication_id": publication.publication_id,
                "groups_written": sum(each.written for each in found),
                "groups_unchanged": sum(each.unchanged for each in found),
                "groups_without_data": sum(each.without_data for each in found),
            }
        )

    return visitor_reports


def build_report_schedule(settings: ReportSettings) -> dg.ScheduleDefinition:
    """Return the schedule of the reports of the day before; it is off unless the settings switch it on."""
    status = dg.DefaultScheduleStatus.RUNNING if settings.schedule else dg.DefaultScheduleStatus.STOPPED

    @dg.schedule(
        name="daily_reports",
        job_name=REPORTS_JOB,
        cron_schedule=settings.cron,
        execution_timezone=settings.timezone,
        default_status=status,
        description="Writes the visitor report of the day before as files, one folder a location group.",
    )
    def daily_reports(
        context: dg.ScheduleEvaluationContext, platform: dg.ResourceParam[Platform]
    ) -> dg.RunRequest | dg.SkipReason:
        day = context.scheduled_execution_time.date() - timedelta(days=1)
        try:
            last_day = current_publication(platform.lake).last_day
        except NoData as nothing:
            return dg.SkipReason(str(nothing))
        if last_day is None or last_day < day:
            return dg.SkipReason(f"the publication ends on {last_day}, before {day}")
        return dg.RunRequest(partition_key=day.isoformat())

    return daily_reports
