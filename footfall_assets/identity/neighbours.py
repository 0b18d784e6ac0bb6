"""Which vectors of one place lie near each other."""

from footfall_assets.contracts.settings import LinkageSettings
from footfall_assets.domain.agglomeration import Floats, Pairs, on_grid
from footfall_assets.identity.gallery import Search, gallery_pairs


def near_pairs(vectors: Floats, max_distance: float, settings: LinkageSettings) -> Pairs:
    """Return (m, 2) pairs of rows (left < right) of unit vectors (n, d), among them those within a cosine distance.

    A few lie just beyond it. Below `exact_neighbours_below` rows none within it is missing; see `gallery` for the rest.
    """
    search = Search(max_distance, settings.exact_neighbours_below, max(len(vectors), 1))
    return gallery_pairs(on_grid(vectors), search)
