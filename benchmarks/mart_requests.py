"""What the explorer asks of a publication, page by page, asked of marts at the size of January; see mart_scale.py.

Every question of every page is here that reads a published file: at one store, and at all of them where the page's
filters begin with all.
"""

import os
import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from threading import Thread
from time import perf_counter, process_time

import duckdb
import numpy as np
from january import Stages

from footfall_assets.contracts.attributes import Trait
from footfall_assets.contracts.errors import FootfallError
from footfall_assets.contracts.publication import FileKind, Publication
from footfall_assets.reporting import conversion, counted_traffic, demographics, dwell, journeys, loyalty
from footfall_assets.reporting.coverage import coverage_by_day, coverage_gaps
from footfall_assets.reporting.export import write_csv
from footfall_assets.reporting.expressions import expressions_by_camera
from footfall_assets.reporting.footfall_over_time import days_with_data, footfall_by_day, footfall_by_hour
from footfall_assets.reporting.method import calibration_facts, counting_rules
from footfall_assets.reporting.overview import day_overview
from footfall_assets.reporting.protected_footfall import ProtectedGrain, protected_days, protected_footfall
from footfall_assets.reporting.publication import (
    CurrentFiles,
    announce,
    current_publication,
    open_aggregates,
    open_protected,
    open_visitors,
)
from footfall_assets.reporting.recent_footfall import recent_footfall
from footfall_assets.reporting.request import Order, Period, ReportRequest
from footfall_assets.reporting.selection import read_directory
from footfall_assets.reporting.staffing import ServiceLevel, hourly_profile, staffing_profile, understaffed_hours
from footfall_assets.reporting.store_comparison import compare_stores
from footfall_assets.reporting.visitor_list import all_visitors, visitor_page
from footfall_assets.reporting.visitor_report import VISIT_GAP_S, visitor_head
from footfall_assets.reporting.visitor_timeline import visitor_timeline
from footfall_assets.simulation.embedded_month import MonthPlan, location_name
from footfall_assets.storage.lake import FolderLake

PAGE_ROWS = 50
UNDERSTAFFED_AT_MOST = 1000  # hours, as the page asks
OPENERS = {
    FileKind.AGGREGATES: open_aggregates,
    FileKind.VISITORS: open_visitors,
    FileKind.PROTECTED: open_protected,
}


@dataclass(frozen=True)
class Asked:
    """One request of the explorer: a published file, and questions to an open connection of it."""

    kind: FileKind
    ask: Callable[[duckdb.DuckDBPyConnection], object]


@dataclass(frozen=True)
class Drawn:
    """What a random request is drawn from: the days there are, all stores, and one of them."""

    days: list[date]
    places: tuple[str, ...]
    place: str
    chance: random.Random

    @property
    def month(self) -> Period:
        """All days."""
        return Period(self.days[0], self.days[-1])

    def request(self, **named: object) -> ReportRequest:
        """Return a report of all days."""
        return ReportRequest(self.days[0], self.days[-1], **named)  # type: ignore[arg-type]

    def some_days(self, count: int) -> Period:
        """Return so many days in a row."""
        first = self.chance.randrange(len(self.days) - count + 1)
        return Period(self.days[first], self.days[first + count - 1])


Question = Callable[[Drawn], Asked]


def first_page(request: ReportRequest) -> Asked:
    """Return the head and the first page of the visitor report."""

    def ask(connection: duckdb.DuckDBPyConnection) -> object:
        head = visitor_head(connection, request)
        return head, visitor_page(connection, request, first=0, most=PAGE_ROWS, visit_gap_s=VISIT_GAP_S)

    return Asked(FileKind.VISITORS, ask)


def first_page_of_days(count: int) -> Question:
    """Return the report of all stores over so many days."""

    def question(drawn: Drawn) -> Asked:
        days = drawn.some_days(count)
        return first_page(ReportRequest(days.first_day, days.last_day))

    return question


def some_minutes(drawn: Drawn) -> Asked:
    """Return the report of one store from a minute to another, up to a week later."""
    days, chance = drawn.days, drawn.chance
    first = chance.randrange(len(days))
    last = min(first + chance.randrange(1, 7), len(days) - 1)
    at = [time(chance.randrange(9, 20), chance.randrange(60)) for _ in range(2)]
    last = max(last, first)
    starts, ends = sorted(at) if last == first else at
    whole = ReportRequest(days[first], days[last], location_ids=(drawn.place,))
    return first_page(replace(whole, starts_at=starts, ends_at=ends) if (first, starts) != (last, ends) else whole)


def page_number(order: Order) -> Question:
    """Return some page of the whole month's list."""

    def question(drawn: Drawn) -> Asked:
        request, first = drawn.request(), PAGE_ROWS * drawn.chance.randrange(200)

        def ask(connection: duckdb.DuckDBPyConnection) -> object:
            return visitor_page(connection, request, first=first, most=PAGE_ROWS, order=order, visit_gap_s=VISIT_GAP_S)

        return Asked(FileKind.VISITORS, ask)

    return question


def one_visitor(drawn: Drawn) -> Asked:
    """Return the way of a visitor of the first page."""
    request = drawn.request()

    def ask(connection: duckdb.DuckDBPyConnection) -> object:
        (row,) = connection.execute(
            "select linkage_window, visitor_id from visitor_window limit 1 offset $skipped",
            {"skipped": drawn.chance.randrange(1_000)},
        ).fetchall()
        return visitor_timeline(connection, request, linkage_window=row[0], visitor_id=row[1], visit_gap_s=VISIT_GAP_S)

    return Asked(FileKind.VISITORS, ask)


def at_one(ask: Callable[..., object], **named: object) -> Question:
    """Return a question about a month of one store's aggregates."""
    return lambda drawn: Asked(
        FileKind.AGGREGATES,
        lambda connection: ask(connection, drawn.month, location_ids=(drawn.place,), **named),
    )


def at_all(ask: Callable[..., object], **named: object) -> Question:
    """Return the same about all stores, named one by one, as the explorer does."""
    return lambda drawn: Asked(
        FileKind.AGGREGATES,
        lambda connection: ask(connection, drawn.month, location_ids=drawn.places, **named),
    )


def of_days(ask: Callable[..., object], count: int) -> Question:
    """Return a question about the cameras of all stores on so many days."""

    def question(drawn: Drawn) -> Asked:
        days = drawn.some_days(count)
        return Asked(FileKind.AGGREGATES, lambda connection: ask(connection, days.first_day, days.last_day))

    return question


def whole(ask: Callable[..., object], kind: FileKind = FileKind.AGGREGATES, **named: object) -> Question:
    """Return a question that names no store."""
    return lambda _drawn: Asked(kind, lambda connection: ask(connection, **named))


def newest_minutes(drawn: Drawn) -> Asked:
    """Return the strip of the newest minutes of one store."""
    now = datetime.now(UTC)
    return Asked(FileKind.AGGREGATES, lambda connection: recent_footfall(connection, drawn.place, minutes=30, now=now))


def protected_of(grain: ProtectedGrain) -> Question:
    """Return a month of one store's protected counts, as a viewer sees them."""
    return lambda drawn: Asked(
        FileKind.PROTECTED,
        lambda connection: protected_footfall(connection, drawn.place, grain, drawn.month, allowed=(drawn.place,)),
    )


LEVEL = ServiceLevel()
# Figures of the pages whose filters begin with all stores, by page.
OF_STORES: dict[str, Callable[..., object]] = {
    "overview": day_overview,
    "footfall by day": footfall_by_day,
    "footfall by hour": footfall_by_hour,
    "dwell: visits": dwell.dwell_of_visits,
    "dwell: zones": dwell.dwell_by_zone,
    "dwell: departments": dwell.dwell_by_department,
    "dwell: stays by hour": dwell.stays_by_hour,
    "dwell: how well cameras see": dwell.camera_visibility,
    "journeys: moves": journeys.flows,
    "journeys: most common": journeys.journeys,
    "journeys: moves by hour": journeys.flows_by_hour,
    "loyalty: new and returning": loyalty.loyalty_by_day,
    "loyalty: frequency": loyalty.visit_frequency,
    "loyalty: days between": loyalty.days_between_visits,
    "loyalty: stores shared": loyalty.stores_shared,
    "traffic: hour by weekday": hourly_profile,
    "traffic: conversion": conversion.conversion_summary,
    "traffic: conversion, sums by day": conversion.conversion_totals_by_day,
    "traffic: categories": conversion.sales_by_category,
    "traffic: counters": counted_traffic.counted_traffic_by_location,
    "traffic: counters by day": counted_traffic.counted_traffic_by_day,
    "compare stores": compare_stores,
    "demographics: switched on": demographics.switched_on,
}
OF_STORES_NAMED: dict[str, tuple[Callable[..., object], dict[str, object]]] = {
    "journeys: moves between cameras": (journeys.flows, {"level": "camera"}),
    "traffic: staffing": (staffing_profile, {"level": LEVEL}),
    "traffic: understaffed hours": (understaffed_hours, {"level": LEVEL, "most": UNDERSTAFFED_AT_MOST}),
    "demographics: shares": (demographics.trait_shares, {"trait": Trait.AGE_GENDER}),
}

QUESTIONS: dict[str, Question] = {
    "visitors: all stores, month": lambda drawn: first_page(drawn.request()),
    "visitors: all stores, month, a later page": page_number(Order.MOST_APPEARANCES),
    "visitors: all stores, month, by locations": page_number(Order.MOST_LOCATIONS),
    "visitors: all stores, month, 5 appearances or more": lambda drawn: first_page(drawn.request(min_appearances=5)),
    "visitors: all stores, a day": first_page_of_days(1),
    "visitors: all stores, a week": first_page_of_days(7),
    "visitors: all stores, 16 days": first_page_of_days(16),
    "visitors: one store, month": lambda drawn: first_page(drawn.request(location_ids=(drawn.place,))),
    "visitors: camera group of 200 stores, month": lambda drawn: first_page(drawn.request(camera_group="region-0")),
    "visitors: one store, to the minute": some_minutes,
    "visitors: way of one visitor": one_visitor,
    "filters: days": whole(days_with_data),
    "filters: stores and cameras": whole(read_directory),
    **{
        f"{name}, {places}": how(ask, **named)
        for name, (ask, named) in {**{name: (ask, {}) for name, ask in OF_STORES.items()}, **OF_STORES_NAMED}.items()
        for places, how in (("one store", at_one), ("all stores", at_all))
    },
    "traffic: conversion by day, one store": at_one(conversion.conversion_by_day),
    "dwell by day, one store": at_one(dwell.dwell_by_day),
    "demographics: expressions, all cameras": lambda drawn: Asked(
        FileKind.AGGREGATES,
        lambda connection: expressions_by_camera(connection, drawn.month, camera_ids=None),
    ),
    "overview: newest minutes, one store": newest_minutes,
    "coverage of a day, all stores": of_days(coverage_by_day, 1),
    "coverage of 14 days, all stores": of_days(coverage_by_day, 14),
    "coverage: gaps of 14 days, all stores": of_days(coverage_gaps, 14),
    "store footfall: days": whole(protected_days, FileKind.PROTECTED, allowed=None),
    "store footfall by hour, one store": protected_of(ProtectedGrain.HOUR),
    "store footfall by day, one store": protected_of(ProtectedGrain.DAY),
    "about: rules": whole(counting_rules),
    "about: calibration": whole(calibration_facts, FileKind.VISITORS),
}


def ask_all(plan: MonthPlan, lake: FolderLake, *, each: int, seed: int, named: str = "") -> None:
    """Print p50 and p95 of random requests, each as the explorer asks it: a connection of its own to a file held open.

    `cold`: the first of its kind, with no file held, after the system has forgotten the file's pages. Of all questions
    those whose name holds `named`.
    """
    files = CurrentFiles(lake)
    published = current_publication(lake)
    ask_first(plan, lake, published, files)
    days = [plan.first_day + timedelta(days=number) for number in range(plan.days)]
    places = tuple(location_name(number) for number in range(plan.locations))
    print("| question | cold s | p50 s | p95 s | p95 CPU s |\n| --- | --- | --- | --- | --- |")
    for name, question in QUESTIONS.items():
        if named not in name:
            continue
        chance = random.Random(f"{seed} {name}")  # noqa: S311 - the same requests every time
        took = []
        for number in range(each + 1):
            asked = question(Drawn(days, places, chance.choice(places), chance))
            if number == 0:
                files.close()
                forget(lake.local_path(published.files[asked.kind].key))
            wall, cpu = perf_counter(), process_time()
            try:
                with OPENERS[asked.kind](lake, published) as connection:
                    asked.ask(connection)
            except (FootfallError, duckdb.Error) as error:
                refused = traceback.format_exception_only(error)[-1].strip()
                print(f"| {name} | refused after {perf_counter() - wall:.2f} s: {refused[:160]} |", flush=True)
                break
            took.append((perf_counter() - wall, process_time() - cpu))
            if number == 0:
                files.refresh()
        if len(took) > 1:
            walls, cpus = zip(*took[1:], strict=True)
            p50, p95 = np.percentile(walls, [50, 95])
            print(f"| {name} | {took[0][0]:.2f} | {p50:.2f} | {p95:.2f} | {np.percentile(cpus, 95):.2f} |", flush=True)


def ask_first(plan: MonthPlan, lake: FolderLake, published: Publication, files: CurrentFiles) -> None:
    """Print how long the first page of all takes in a new process, while it checks the files as the server does."""
    for file in published.files.values():
        forget(lake.local_path(file.key))
    announce(lake, published)
    checking = Thread(target=files.refresh)
    began = perf_counter()
    checking.start()
    with open_visitors(lake, published) as connection:
        first_page(ReportRequest(plan.first_day, plan.first_day + timedelta(days=plan.days - 1))).ask(connection)
    answered = perf_counter() - began
    checking.join()
    print(f"first page of a new process: {answered:.2f} s; its files are checked after {perf_counter() - began:.1f} s")


def forget(path: Path) -> None:
    """Let the system drop a file's pages from memory."""
    with path.open("rb") as source:
        os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def export(plan: MonthPlan, lake: FolderLake, path: Path, stages: Stages) -> None:
    """Write the month's whole list as CSV."""
    request = ReportRequest(plan.first_day, plan.first_day + timedelta(days=plan.days - 1))
    with (
        stages.measured("export of the whole list as CSV"),
        open_visitors(lake, current_publication(lake), for_s=3600) as connection,
        path.open("wb") as out,
    ):
        head = visitor_head(connection, request)
        rows = write_csv(out, head, all_visitors(connection, request, visit_gap_s=VISIT_GAP_S))
    print(f"{rows:,} rows, {path.stat().st_size / 1e6:,.1f} MB")
