"""Synthetic embeddings as hard to tell apart as real ones: any number of people, of whom none exists.

A vector is the population's mean, plus a person, plus how the person looked on a visit, plus how one still came out,
brought to length one. The person's part has few strong directions and many weak ones, as faces have; without that,
strangers are far too easy to tell apart. Looks vary more in some people and on some visits than in others (log-normal):
the misses that remain at low rates of false matches come from those.

The numbers of a spread are fitted to real vectors (`fit_vectors`) and say nothing about any person in them.
"""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]

_PEOPLE_PER_BLOCK: Final = 4096  # drawn together, so that any range of people can be drawn alone


class EmbeddingSpread(BaseModel):
    """How the vectors of an embedder lie. Energies are mean squared lengths of a part beside a mean of `mean_length`.

    Attributes:
        dim: numbers in a vector.
        mean_length: length of the population's mean vector.
        between_ranks: ranks (from 0) at which the spectrum between people is given.
        between_shares: its eigenvalues there, in any unit; between ranks they are interpolated geometrically.
        between_power: exponent that the spectrum is raised to.
        between_energy: of the person's part, all directions together.
        look_energy: of a visit's part.
        look_power: exponent of the between-people spectrum that gives the spectrum of looks.
        look_tail: standard deviation of the logarithm of a visit's own factor on its part.
        still_energy: of a still's part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dim: int = Field(ge=1)
    mean_length: float = Field(ge=0)
    between_ranks: tuple[int, ...]
    between_shares: tuple[float, ...]
    between_power: float = Field(gt=0)
    between_energy: float = Field(gt=0)
    look_energy: float = Field(ge=0)
    look_power: float = Field(ge=0)
    look_tail: float = Field(ge=0)
    still_energy: float = Field(ge=0)

    def between(self) -> Floats:
        """Return the (dim,) standard deviation of the person's part in each direction."""
        return self._scales(self.between_power, self.between_energy)

    def look(self) -> Floats:
        """Return the (dim,) standard deviation of a visit's part in each direction, before the visit's own factor."""
        return self._scales(self.look_power, self.look_energy)

    def _scales(self, power: float, energy: float) -> Floats:
        logarithms = np.interp(np.arange(self.dim), self.between_ranks, np.log(self.between_shares))
        shares = np.exp(power * logarithms)
        return np.asarray(np.sqrt(energy * shares / shares.sum()), dtype=np.float32)


def known_spread(name: str) -> EmbeddingSpread:
    """Return one of the spreads that come with the simulation: `dlib`, or `good` for an embedder of another class.

    Raises:
        KeyError: there is none of that name.
    """
    document = tomllib.loads(files("footfall_assets.simulation").joinpath("spreads.toml").read_text(encoding="utf-8"))
    return EmbeddingSpread.model_validate(document[name])


def blocks_of_people(spread: EmbeddingSpread, first: int, count: int, seed: int) -> Floats:
    """Return the (count, dim) parts of people `first` to `first + count - 1`: the same for every range they are in."""
    scale = spread.between()
    blocks = range(first // _PEOPLE_PER_BLOCK, -(-(first + count) // _PEOPLE_PER_BLOCK))
    drawn = [_normal((seed, 0, block), (_PEOPLE_PER_BLOCK, spread.dim)) for block in blocks]
    skipped = first - blocks.start * _PEOPLE_PER_BLOCK
    return np.asarray(np.concatenate(drawn)[skipped : skipped + count] * scale, dtype=np.float32)


@dataclass(frozen=True)
class Faces:
    """Vectors of a run of visits, each with as many stills as asked for."""

    vector: Floats
    visit: Numbers


def faces_of_visits(spread: EmbeddingSpread, person: Floats, stills: Numbers, key: tuple[int, ...]) -> Faces:
    """Return the unit vectors of visits: (sum of `stills`, dim), and which visit each belongs to.

    Args:
        spread: how vectors lie.
        person: (v, dim) the person's part of each visit.
        stills: (v,) faces each visit shows.
        key: whole numbers that name this run of visits; the same key gives the same vectors.
    """
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence((1, *key))))
    factor = np.exp(spread.look_tail * generator.standard_normal(len(person), dtype=np.float32) - spread.look_tail**2)
    looks = generator.standard_normal(person.shape, dtype=np.float32) * spread.look() * factor[:, None] + person
    looks[:, 0] += np.float32(spread.mean_length)
    visit = np.repeat(np.arange(len(person)), stills)
    still_scale = np.float32(np.sqrt(spread.still_energy / spread.dim))
    vector = looks[visit] + still_scale * generator.standard_normal((len(visit), spread.dim), dtype=np.float32)
    return Faces(_unit(vector), visit)


def templates_of_visits(spread: EmbeddingSpread, person: Floats, stills: int, key: tuple[int, ...]) -> Floats:
    """Return the (v, dim) unit mean of `stills` faces of each visit, drawn directly; arguments as `faces_of_visits`."""
    averaged = spread.model_copy(update={"still_energy": spread.still_energy / stills})
    return faces_of_visits(averaged, person, np.ones(len(person), np.int64), key).vector


def _normal(key: tuple[int, ...], shape: tuple[int, int]) -> Floats:
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
    return generator.standard_normal(shape, dtype=np.float32)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
