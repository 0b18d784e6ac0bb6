"""Names that stay: today's identities take over the names of the day before where they hold the same visitors."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class NamedIdentity:
    """An identity with its name and where that came from.

    Attributes:
        face_id: its name.
        members: its local visitors, sorted.
        minted: whether the name is new.
        merged_from: names of the day before whose visitors it took over besides its own.
        split_from: the name of the day before that most of a newly named identity's visitors bore, else None.
    """

    face_id: UUID
    members: tuple[UUID, ...]
    minted: bool
    merged_from: tuple[UUID, ...]
    split_from: UUID | None


def carry_over(
    clusters: Sequence[Sequence[UUID]], previous: Mapping[UUID, UUID], mint: Callable[[UUID], UUID]
) -> list[NamedIdentity]:
    """Return a named identity for each cluster of local visitors, sorted by name.

    The largest overlap takes its name first, ties by name and then by the cluster's smallest member; each name and
    each cluster is used once. What is left gets `mint(smallest member)`.

    Args:
        clusters: local visitor ids, disjoint, none empty.
        previous: the day before's name of each local visitor known then.
        mint: a new name from a cluster's smallest member; never one of `previous`' names.
    """
    members = [tuple(sorted(cluster)) for cluster in clusters]
    overlaps = [Counter(previous[each] for each in cluster if each in previous) for cluster in members]
    names = _assign(members, overlaps)
    inherited = set(names.values())
    return sorted(
        (_identity(members[row], overlaps[row], names.get(row), inherited, mint) for row in range(len(members))),
        key=lambda identity: identity.face_id,
    )


def _assign(members: Sequence[tuple[UUID, ...]], overlaps: Sequence[Counter[UUID]]) -> dict[int, UUID]:
    claims = sorted(
        (-count, name, members[row][0], row) for row, overlap in enumerate(overlaps) for name, count in overlap.items()
    )
    names: dict[int, UUID] = {}
    taken: set[UUID] = set()
    for _, name, _, row in claims:
        if row not in names and name not in taken:
            names[row] = name
            taken.add(name)
    return names


def _identity(
    members: tuple[UUID, ...],
    overlap: Counter[UUID],
    name: UUID | None,
    inherited: set[UUID],
    mint: Callable[[UUID], UUID],
) -> NamedIdentity:
    merged = tuple(sorted(each for each in overlap if each != name and each not in inherited))
    largest = min(overlap, key=lambda each: (-overlap[each], each), default=None)
    return NamedIdentity(
        face_id=name or mint(members[0]),
        members=members,
        minted=name is None,
        merged_from=merged,
        split_from=largest if name is None else None,
    )
