"""BCubed: how well clusters of faces agree with the people they show."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True)
class BCubed:
    """Precision, recall (averages over items) and their harmonic mean, each 0 to 1; None where there was no item."""

    precision: float | None
    recall: float | None
    f1: float | None


def bcubed(people: npt.ArrayLike, clusters: npt.ArrayLike) -> BCubed:
    """Return BCubed of items whose true `people` and found `clusters` are given, both of shape (items,).

    An item's precision is the share of its cluster that shows its person, its recall the share of its person's items
    that are in its cluster; each item counts the same. With n[p, c] items of person p in cluster c, the items of a cell
    share one value, so the averages are sums of n[p, c]^2 over the cluster's, respectively the person's size.

    Sources: Bagga and Baldwin, Entity-based cross-document coreferencing using the vector space model, COLING-ACL 1998;
    Amigo, Gonzalo, Artiles and Verdejo, A comparison of extrinsic clustering evaluation metrics based on formal
    constraints, Information Retrieval 12 (2009), section 3.4.

    Raises:
        ValueError: the two have different lengths, or an item has no person or no cluster.
    """
    true, found = np.asarray(people, dtype=object), np.asarray(clusters, dtype=object)
    if true.shape != found.shape:
        raise ValueError(f"expected a person and a cluster for every item, got lengths {true.shape} and {found.shape}")
    items = pd.DataFrame({"person": true, "cluster": found})
    if items.isna().any(axis=None):
        raise ValueError("expected a person and a cluster for every item, got missing ones; drop them and count them")
    if items.empty:
        return BCubed(None, None, None)
    together = items.value_counts()
    squares = together.astype(np.float64) ** 2
    cluster_size = items["cluster"].value_counts().loc[together.index.get_level_values("cluster")].to_numpy()
    person_size = items["person"].value_counts().loc[together.index.get_level_values("person")].to_numpy()
    precision = float((squares / cluster_size).sum() / len(items))
    recall = float((squares / person_size).sum() / len(items))
    return BCubed(precision, recall, 2 * precision * recall / (precision + recall))
