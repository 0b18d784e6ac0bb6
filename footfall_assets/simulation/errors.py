"""What can go wrong before a simulation starts."""

from footfall_assets.contracts.errors import UserMistake


class SimulationError(UserMistake):
    """The simulation cannot be made as asked; the message says what to change."""


class PlanError(SimulationError):
    """A number in the plan is out of range."""


class CastError(SimulationError):
    """The cast is too small, or its photos cannot be used."""
