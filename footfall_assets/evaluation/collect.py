"""What the platform found, as the scorer wants it: boxes from the lake joined to visitors from a publication."""

from typing import Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from footfall_assets.evaluation.matching import BOX
from footfall_assets.evaluation.score import OUTPUT_COLUMNS, id_text
from footfall_assets.reporting.publication import fetch_frame
from footfall_assets.reporting.visitor_report import VISIT_GAP_S

# A sighting belongs to the appearance of its visitor at its camera that it falls into; visits are numbered by the rule
# of the visitor report, over all cameras.
_SIGHTINGS_SQL: Final = """
with
    arrivals as (
        select
            *,
            coalesce(
                started_at > max(ended_at) over (
                    partition by face_id, location_id, business_day
                    order by started_at, ended_at
                    rows between unbounded preceding and 1 preceding
                ) + to_seconds($visit_gap_s),
                true
            ) as is_arrival
        from fct_appearances
        where face_id is not null
    ),
    appearances as (
        select
            *,
            count(*) filter (where is_arrival) over (
                partition by face_id, location_id, business_day
                order by started_at, ended_at, appearance_id
                rows between unbounded preceding and current row
            ) as visit_number
        from arrivals
    )
select
    sighting.face_image_id::varchar as face_image_id,
    sighting.face_id::varchar as face_id,
    appearance.appearance_id::varchar as appearance_id,
    concat_ws(
        '/', appearance.face_id, appearance.location_id, appearance.business_day, appearance.visit_number
    ) as visit_id
from fct_sightings as sighting
left join
    appearances as appearance
    on sighting.face_id = appearance.face_id
    and sighting.camera_id = appearance.camera_id
    and sighting.captured_at between appearance.started_at and appearance.ended_at
where sighting.face_id is not null
"""


def collect_output(
    faces: pa.Table, visitors: duckdb.DuckDBPyConnection, *, visit_gap_s: int = VISIT_GAP_S
) -> pd.DataFrame:
    """Return one row a face of the lake's `faces` table, with `OUTPUT_COLUMNS`.

    Every detected face is there; one that the publication behind `visitors` assigns to nobody, or does not know, has
    neither `face_id` nor appearance nor visit.
    """
    boxes = np.asarray(faces.column("box").to_pylist(), dtype=np.float64).reshape(-1, len(BOX))
    found = pd.DataFrame(boxes, columns=list(BOX)).assign(
        image_id=_texts(faces.column("image_id")), face_image_id=_texts(faces.column("face_image_id"))
    )
    assigned = fetch_frame(visitors, _SIGHTINGS_SQL, {"visit_gap_s": visit_gap_s})
    joined = found.merge(assigned, on="face_image_id", how="left", validate="one_to_one")
    return joined[list(OUTPUT_COLUMNS)]


def _texts(ids: pa.ChunkedArray) -> "pd.Series[str]":
    return pd.Series([id_text(each) for each in ids.to_pylist()], dtype=str)
