"""The operations page: which devices and cameras are alive, what waits, what is missing, what was set aside."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import FootfallError, NoData, UserMistake
from footfall_assets.contracts.settings import PlatformSettings, load_settings
from footfall_assets.reporting.fleet_status import CameraHealth, DeviceState, FleetStatus
from footfall_assets.reporting.provenance import age_text, duration_text, provenance_of
from footfall_assets.reporting.publication import current_publication
from footfall_assets.reporting.run_status import recent_runs
from footfall_assets.storage import open_lake
from footfall_assets.storage.lake import LakeStore
from streamlit_app.access import Page
from streamlit_app.charts import coverage_chart, shown_cameras
from streamlit_app.fleet_tables import (
    cameras_frame,
    devices_frame,
    gaps_frame,
    problems_frame,
    quarantine_frame,
    runs_frame,
)
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.queries import Explorer, current_fleet
from streamlit_app.sign_in import scope_for

_COVERAGE_DAYS: Final = 14


def show_page() -> None:
    """Show the page, or one sentence on why there is nothing to show."""
    st.title("Operations")
    try:
        settings = load_settings()
        scope = scope_for(Page.OPERATIONS, settings, settings.environment)
        lake = open_lake(settings)
        fleet = current_fleet(lake, settings.lake_root, settings.fleet, now=datetime.now(UTC))
        status = fleet.within(scope.location_ids)
        _show_fleet(status)
        _show_freshness(lake)
        _show_coverage(lake, settings)
        if scope.location_ids is None:  # neither quarantine nor runs are of one location
            _show_quarantine(status)
            _show_runs(lake, settings)
        _show_definitions()
    except UserMistake as mistake:
        st.error(literal(str(mistake)))
    except FootfallError as failure:
        st.error(literal(str(failure)))


def _show_fleet(status: FleetStatus) -> None:
    st.caption(f"As of {status.at:%Y-%m-%d %H:%M:%S} UTC. Each device's own last report, checked by its signature.")
    if not status.devices:
        st.info("No device is enrolled. Enrol one: footfall fleet enroll box-1 --location LOCATION")
        return
    _show_metrics(status)
    _show_problems(status)
    st.subheader("Devices")
    st.dataframe(devices_frame(status), hide_index=True, width="stretch")
    st.subheader("Cameras")
    cameras = cameras_frame(status)
    if cameras.empty:
        st.info("No device serves a camera. Add one: footfall fleet add-camera --device")
        return
    st.dataframe(cameras, hide_index=True, width="stretch")


def _show_problems(status: FleetStatus) -> None:
    problems = problems_frame(status)
    if problems.empty:
        st.success("Nothing is wrong.")
        return
    devices = problems["Device"].nunique()
    st.warning(f"Problems: {len(problems)}, on {devices} of {len(status.devices)} devices")
    st.dataframe(problems, hide_index=True, width="stretch")


def _show_metrics(status: FleetStatus) -> None:
    active = [device for device in status.devices if device.state is not DeviceState.REVOKED]
    reporting = sum(device.state is DeviceState.REPORTING for device in active)
    cameras = sum(len(device.cameras) for device in active)
    alive = sum(device.cameras_that_are(CameraHealth.OK) for device in active)
    reports = [device.report for device in active if device.report]
    skews = [abs(report.clock_skew_s) for report in reports if report.clock_skew_s is not None]
    with st.container(horizontal=True):
        st.metric("Devices reporting", f"{reporting} of {len(active)}", border=True)
        st.metric("Cameras with pictures", f"{alive} of {cameras}", border=True)
        st.metric("Batches in spools", f"{sum(report.spool_items for report in reports):,}", border=True)
        st.metric("Stills dropped", f"{sum(report.dropped_stills for report in reports):,}", border=True)
        st.metric("Largest clock skew", f"{max(skews):.0f} s" if skews else "unknown", border=True)


def _show_coverage(lake: LakeStore, settings: PlatformSettings) -> None:
    st.subheader("Coverage")
    try:
        publication = current_publication(lake)
        scope = scope_for(Page.OPERATIONS, settings, publication.environment)
        provenance = provenance_of(publication, now=datetime.now(UTC))
        last_day = publication.last_day or provenance.published_at.date()
        first_day = last_day - timedelta(days=_COVERAGE_DAYS - 1)
        explorer = Explorer(lake, publication, scope=scope)
        days, gaps = explorer.coverage(first_day, last_day), explorer.coverage_gaps(first_day, last_day)
    except NoData as nothing:
        st.info(literal(str(nothing)))
        return
    st.caption(f"{first_day} to {last_day}, business days. Data age: {literal(age_text(provenance))}.")
    if days.empty:
        st.info("No batch came in these days.")
    else:
        _show_days(days, first_day, last_day)
    st.markdown("**Gaps**: batches that a device numbered and the platform does not hold")
    if gaps.empty:
        st.info("None in these days.")
    else:
        st.dataframe(gaps_frame(gaps), hide_index=True, width="stretch")


def _show_days(days: pd.DataFrame, first_day: date, last_day: date) -> None:
    shown = shown_cameras(days)
    st.altair_chart(coverage_chart(shown, first_day=first_day, last_day=last_day), width="stretch")
    left_out = days["camera_id"].nunique() - shown["camera_id"].nunique()
    more = f" {left_out} more cameras are not drawn." if left_out else ""
    st.caption(f"Frames captured of those expected. An empty cell means that nothing came: unknown, not zero.{more}")


def _show_quarantine(status: FleetStatus) -> None:
    st.subheader("Quarantine")
    frame = quarantine_frame(status)
    if frame.empty:
        st.info("Nothing was set aside.")
        return
    st.dataframe(frame, hide_index=True, width="stretch")


def _show_freshness(lake: LakeStore) -> None:
    st.subheader("Freshness")
    try:
        provenance = provenance_of(current_publication(lake), now=datetime.now(UTC))
    except NoData as nothing:
        st.info(literal(str(nothing)))
        return
    age, since = provenance.data_age, duration_text(provenance.read_at - provenance.published_at)
    with st.container(horizontal=True):
        st.metric("Data age", "unknown" if age is None else duration_text(age), border=True)
        st.metric("Since the last publication", since, border=True)
    if provenance.is_stale:
        st.warning(f"These data are old: {literal(age_text(provenance))}.")
    st.caption(
        literal(
            f"Age of the newest still in the numbers: {age_text(provenance)}. "
            f"Published {provenance.published_at:%Y-%m-%d %H:%M} UTC, publication {provenance.short_id}."
        )
    )


def _show_runs(lake: LakeStore, settings: PlatformSettings) -> None:
    st.subheader("Last runs")
    try:
        recent = recent_runs(lake)
    except NoData as nothing:
        st.info(literal(str(nothing)))
        return
    if not recent.runs:
        st.info("No run yet.")
        return
    failed = sum(run.status == "failure" for run in recent.runs)
    if failed:
        st.warning(f"{failed} of the last {len(recent.runs)} runs failed.")
    st.dataframe(
        runs_frame(recent, settings.dagster_address),
        hide_index=True,
        width="stretch",
        column_config={"Dagster UI": st.column_config.LinkColumn(display_text="open", validate="^https?://")},
    )
    st.caption(
        literal(f"As of {recent.at:%Y-%m-%d %H:%M:%S} UTC. The links open the Dagster UI, where it runs: footfall up.")
    )


def _show_definitions() -> None:
    with st.expander("What these words mean"):
        st.markdown(
            "**Spool**: batches on the device that have not been sent. "
            "**Dropped**: stills given up because the spool was full, or frames that were due and never taken. "
            "**Clock skew**: the device's clock minus the lake's. "
            "**Revision**: the configuration the device follows, of the one it should. "
            "**Set aside**: batches in the device's name that intake did not accept, resends not counted."
        )


require_app()
show_page()
