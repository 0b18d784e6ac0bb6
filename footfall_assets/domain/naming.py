"""Names that stay: today's identities take over the names of the day before where they hold the same visitors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Naming:
    """What k identities are called.

    Attributes:
        name: (k,) number of the name that each takes over, -1 where it gets a new one.
        split_from: (k,) of one that gets a new name, the name that most of its visitors bore, -1 where they bore none.
        merged: (m, 2) identity, and name of the day before whose visitors it took over besides its own and which
            nobody bears any more; sorted.
    """

    name: Labels
    split_from: Labels
    merged: Labels


def carry_over(identity: Labels, previous: Labels) -> Naming:
    """Return what each identity is called.

    The largest overlap takes its name first, ties by name and then by identity; each name and each identity is used
    once.

    Args:
        identity: (n,) number of each local visitor's identity, from 0, none left out; numbered by its smallest member.
        previous: (n,) number of the name each bore the day before, in the order of names; -1 where it was not known.
    """
    count = int(identity.max(initial=-1)) + 1
    owner, name, overlap = _claims(identity, previous)
    ranked = np.lexsort((owner, name, -overlap))
    taken = _assign(owner[ranked], name[ranked], count)
    inherited = np.isin(name, taken[taken >= 0])
    first = np.lexsort((name, -overlap, owner))
    first = first[np.diff(owner[first], prepend=-1) != 0]
    split_from = np.full(count, -1, dtype=np.int64)
    split_from[owner[first]] = name[first]
    split_from[taken >= 0] = -1
    merged = ~inherited & (name != taken[owner])
    return Naming(taken, split_from, np.stack([owner[merged], name[merged]], axis=1))


def _claims(identity: Labels, previous: Labels) -> tuple[Labels, Labels, Labels]:
    """Return each pair of an identity and a name that some of its visitors bore, sorted, and how many did."""
    known = previous >= 0
    names = int(previous.max(initial=-1)) + 1
    key, overlap = np.unique(identity[known] * names + previous[known], return_counts=True)
    owner, name = np.divmod(key, max(names, 1))
    return owner, name, overlap


def _assign(owner: Labels, name: Labels, count: int) -> Labels:
    """Return the name of each of `count` identities, -1 for none, from claims in the order of their right."""
    taken = np.full(count, -1, dtype=np.int64)
    claims_of_name = np.bincount(name)
    alone = (np.bincount(owner, minlength=count)[owner] == 1) & (claims_of_name[name] == 1)
    taken[owner[alone]] = name[alone]
    used: set[int] = set()
    for each, wanted in zip(owner[~alone].tolist(), name[~alone].tolist(), strict=True):
        if taken[each] < 0 and wanted not in used:
            taken[each] = wanted
            used.add(wanted)
    return taken
