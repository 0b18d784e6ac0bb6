"""What the platform found against what was there: detection, identity and the three counts, by location and in total.

Score the truth of one linkage window at a time: an identity ends with its window, and two windows' visitors do not add.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import pandas as pd

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.evaluation.bcubed import BCubed, bcubed
from footfall_assets.evaluation.matching import BOX, match_faces

TRUTH_COLUMNS: Final = ("image_id", "location_id", *BOX, "person_id", "appearance_id", "visit_id", "visible")
OUTPUT_COLUMNS: Final = ("image_id", *BOX, "face_id", "appearance_id", "visit_id")


@dataclass(frozen=True)
class Count:
    """How many there were and how many were reported."""

    true: int
    reported: int

    @property
    def error_percent(self) -> float | None:
        """The reported excess in percent of the truth, negative for too few; None where nobody was there."""
        return None if self.true == 0 else 100 * (self.reported - self.true) / self.true


@dataclass(frozen=True)
class Scores:
    """The scores of one location, or of all.

    Attributes:
        visitors: true are the people visible at least once.
        appearances: true are those with a visible face.
        visits: true are those with a visible face.
        people_never_visible: were there and never showed their face; not among the true visitors.
        visible_faces: true faces that could have been found.
        found_faces: those of them that were.
        detected_faces: faces the platform found, in the images of the truth.
        hidden_faces_found: of these, matched to a face that the truth calls not visible.
        false_detections: of these, matched to no true face.
        unidentified_faces: of these, assigned to no visitor.
        identified_matches: faces that BCubed was computed over: matched and assigned to a visitor.
        bcubed: agreement of visitors with people over those faces; missed faces lower `detection_recall`, not this.
    """

    visitors: Count
    appearances: Count
    visits: Count
    people_never_visible: int
    visible_faces: int
    found_faces: int
    detected_faces: int
    hidden_faces_found: int
    false_detections: int
    unidentified_faces: int
    identified_matches: int
    bcubed: BCubed

    @property
    def detection_recall(self) -> float | None:
        """The share of visible faces that were found; None where there was none."""
        return None if self.visible_faces == 0 else self.found_faces / self.visible_faces


@dataclass(frozen=True)
class Evaluation:
    """Scores in total and by location; `faces_outside_truth` are in unknown images and were left out."""

    total: Scores
    locations: Mapping[str, Scores]
    faces_outside_truth: int


def score(truth: pd.DataFrame, output: pd.DataFrame) -> Evaluation:
    """Return how well `output` agrees with `truth`.

    `truth`: one row a person and still, with `TRUTH_COLUMNS`; a still without people has one row with `person_id` null.
    `output`: one row a detected face, with `OUTPUT_COLUMNS`; `face_id` is null for an unidentified face. Boxes are xyxy
    in pixels of the still. Faces meet by image and an overlap of at least 0.5 (`match_faces`).

    Raises:
        UserMistake: a column is missing, or the truth is empty.
    """
    truth, output = _prepared(truth, TRUTH_COLUMNS, "truth"), _prepared(output, OUTPUT_COLUMNS, "output")
    if truth.empty:
        raise UserMistake("expected a truth with at least one still, got none; name the truth.parquet of a simulation")
    place_of = truth.drop_duplicates("image_id").set_index("image_id")["location_id"]
    inside = output["image_id"].isin(place_of.index)
    people = truth[truth["person_id"].notna()]
    found = _with_truth(output[inside], people).assign(location_id=lambda each: each["image_id"].map(place_of))
    places = sorted(set(truth["location_id"]))
    return Evaluation(
        total=_scores(people, found),
        locations={
            place: _scores(people[people["location_id"] == place], found[found["location_id"] == place])
            for place in places
        },
        faces_outside_truth=int((~inside).sum()),
    )


def _prepared(frame: pd.DataFrame, columns: tuple[str, ...], name: str) -> pd.DataFrame:
    missing = sorted(set(columns) - set(frame.columns))
    if missing:
        raise UserMistake(f"expected columns {', '.join(columns)} in the {name}, found no {', '.join(missing)}")
    kept = frame[list(columns)].reset_index(drop=True)
    return kept.assign(image_id=kept["image_id"].map(id_text))


def id_text(value: object) -> str:
    """Return an id as text, whether it came as text, UUID or the 16 bytes of one."""
    return str(UUID(bytes=value)) if isinstance(value, bytes) else str(value)


def _with_truth(output: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Return `output` with its match: `truth` (a row of `people`), `person_id` and `visible`, missing without one."""
    pairs = match_faces(people, output).set_index("output")[["truth"]]
    return output.join(pairs).join(people[["person_id", "visible"]], on="truth")


def _scores(people: pd.DataFrame, found: pd.DataFrame) -> Scores:
    seen = people[people["visible"].astype(bool)]
    matched = found["truth"].notna()
    matched_visible = matched & found["visible"].eq(other=True)
    identified = matched & found["face_id"].notna()
    return Scores(
        visitors=_count(seen["person_id"], found["face_id"]),
        appearances=_count(seen["appearance_id"], found["appearance_id"]),
        visits=_count(seen["visit_id"], found["visit_id"]),
        people_never_visible=int(people["person_id"].nunique() - seen["person_id"].nunique()),
        visible_faces=len(seen),
        found_faces=int(matched_visible.sum()),
        detected_faces=len(found),
        hidden_faces_found=int((matched & ~matched_visible).sum()),
        false_detections=int((~matched).sum()),
        unidentified_faces=int(found["face_id"].isna().sum()),
        identified_matches=int(identified.sum()),
        bcubed=bcubed(
            found.loc[identified, "person_id"].to_numpy(dtype=object),
            found.loc[identified, "face_id"].map(id_text).to_numpy(dtype=object),
        ),
    )


def _count(true: "pd.Series[str]", reported: "pd.Series[str]") -> Count:
    return Count(int(true.nunique()), int(reported.nunique()))
