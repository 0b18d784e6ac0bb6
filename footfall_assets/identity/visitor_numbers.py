"""The `visitor_numbers` asset: the append-only ledger that gives every identity of a window its Visitor ID."""

import secrets
from pathlib import Path

import numpy as np
import pyarrow as pa

from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.schemas import IDENTITIES, VISITOR_NUMBERS
from footfall_assets.domain.calendar import LinkageWindow, linkage_window
from footfall_assets.domain.id_words import numbered, rows_of
from footfall_assets.domain.visitor_number import visitor_id
from footfall_assets.platform import Outcome, Platform
from footfall_assets.storage.arrow import uuid_words, words_column
from footfall_assets.storage.partitions import PartitionManifest, PartitionPlace
from footfall_assets.storage.secret_file import read_or_create_secret

_KEY_BYTES = 32


def window_key(folder: Path, window: LinkageWindow) -> bytes:
    """Return the secret key of a linkage window, made on first use (mode 0600)."""
    return read_or_create_secret(folder / f"window-{window.label}.key", lambda: secrets.token_bytes(_KEY_BYTES))


def newest_identities(platform: Platform) -> dict[LinkageWindow, PartitionManifest]:
    """Return the newest map of each linkage window, in the active version."""
    places = platform.partitions.places("identities", platform.versions.identities)
    newest = {linkage_window(place.day): place.day for place in places}
    found = {window: platform.partitions.manifest(platform.day_of("identities", day)) for window, day in newest.items()}
    return {window: manifest for window, manifest in found.items() if manifest}


def ledger_place(platform: Platform, window: LinkageWindow) -> PartitionPlace:
    """Return where the ledger of a window lies."""
    return PartitionPlace("visitor_numbers", platform.versions.identities, window.first_day)


def new_numbers(known: pa.Table, identities: pa.Table, window: LinkageWindow, key: bytes) -> pa.Table:
    """Return the rows to append to a ledger: identities it does not know, by the day that minted them, then by id."""
    face, number = numbered(uuid_words(identities["face_id"]))
    minted_on = np.empty(len(face), dtype=np.int32)
    minted_on[number] = identities["minted_on"].cast(pa.int32()).to_numpy()
    fresh = np.flatnonzero(rows_of(face, uuid_words(known["face_id"])) < 0)
    fresh = fresh[np.argsort(minted_on[fresh], kind="stable")]
    places = range(known.num_rows, known.num_rows + len(fresh))
    return pa.Table.from_arrays(
        [
            pa.repeat(window.label, len(fresh)),
            words_column(face[fresh]),
            pa.array(places, pa.int64()),
            pa.array([visitor_id(place, key) for place in places], pa.string()),
        ],
        schema=VISITOR_NUMBERS,
    )


def refresh_visitor_numbers(platform: Platform) -> Outcome:
    """Give a number to every identity of the newest maps that has none; numbers once given never change."""
    outcome = Outcome(version=platform.versions.identities)
    hashes = []
    for window, manifest in sorted(newest_identities(platform).items(), key=lambda item: item[0].label):
        ledger, appended = _extend(platform, window, manifest)
        outcome.rows += ledger.rows("visitor_numbers")
        outcome.parts_computed += appended
        outcome.parts_reused += 1 - appended
        hashes.append(ledger.content_hash)
    outcome.content_hash = digest_of(*hashes)
    return outcome


def _extend(platform: Platform, window: LinkageWindow, identities: PartitionManifest) -> tuple[PartitionManifest, int]:
    store, place = platform.partitions, ledger_place(platform, window)
    before = store.manifest(place)
    rows = store.read_table(identities, "identities", IDENTITIES)
    known = store.read_table(before, "visitor_numbers", VISITOR_NUMBERS)
    added = new_numbers(known, rows, window, window_key(platform.settings.keys_dir, window))
    if before and added.num_rows == 0:
        return before, 0
    parts = list(before.parts) if before else []
    # A place in the ledger is taken once, so its first place names a part for good.
    parts.append(store.write_part(place, "visitor_numbers", f"{known.num_rows:012d}", added))
    return store.commit(place, identities.content_hash, parts), 1
