"""People made of numbers: a photograph is a point near its person's, a still a point near its photograph's."""

import numpy as np
import pytest

from footfall_assets.calibration.labelled_people import CLEAN_STILLS, LabelledStills, StillKind
from footfall_assets.domain.linkage import unit

DIM = 32


def people_of_numbers(people, *, seed=0, photos=2, between=1.0, apart=0.25, spoilt=True):
    """Stills of so many people; `apart` is how far photographs of one person lie from each other."""
    rng = np.random.default_rng(seed)
    kinds = [*[StillKind.CLEAN] * CLEAN_STILLS, *([StillKind.BLURRED, StillKind.MASKED] if spoilt else [])]
    person, photo, kind, vector = [], [], [], []
    spoil = rng.normal(size=DIM) * 3
    number = 0
    for one in range(people):
        centre = rng.normal(size=DIM) * between
        for _ in range(1 + one % photos):
            look = centre + rng.normal(size=DIM) * apart
            for each in kinds:
                person.append(one)
                photo.append(number)
                kind.append(int(each))
                vector.append(look + rng.normal(size=DIM) * 0.05 + (0 if each == StillKind.CLEAN else spoil))
            number += 1
    count = len(person)
    return LabelledStills(
        person=np.array(person),
        photo=np.array(photo),
        kind=np.array(kind),
        vector=unit(np.array(vector, np.float32)),
        size_px=rng.uniform(50, 110, count).astype(np.float32),
        score=np.full(count, 0.9, np.float32),
        sharpness=np.full(count, 0.6, np.float32),
        yaw=np.zeros(count, np.float32),
        quality=np.full(count, 0.9, np.float32),
        missed=dict.fromkeys(StillKind, 0),
        names=tuple(f"person-{one}" for one in range(people)),
    )


@pytest.fixture(scope="session")
def stills():
    return people_of_numbers(90)
