"""How often strangers match: pairs who certainly are two people, those of them that look like one, and the bounds."""

from dataclasses import dataclass
from typing import Final

from scipy.stats import chi2

MOST_ABOVE_CALIBRATION: Final = 3.0  # times; stills of 20 px match three times too often (DESIGN section 7)
_CONFIDENCE: Final = 0.95  # of each bound


@dataclass(frozen=True)
class Strangers:
    """Pairs who certainly are two people, and those of them within the window's threshold.

    Bounds of the rate are exact for a Poisson count (Garwood, Biometrika 28, 1936).
    """

    pairs: int
    matches: int

    @property
    def rate(self) -> float | None:
        """The false match rate, None where there is no such pair."""
        return self.matches / self.pairs if self.pairs else None

    @property
    def least_rate(self) -> float:
        """The lower bound of the rate, 0 where nothing matched."""
        if not self.matches:
            return 0.0
        return float(chi2.ppf(1 - _CONFIDENCE, 2 * self.matches)) / 2 / self.pairs

    @property
    def most_rate(self) -> float:
        """The upper bound of the rate, 1 where there is no such pair. Where nothing matched it is 3 in all pairs."""
        if not self.pairs:
            return 1.0
        return min(1.0, float(chi2.ppf(_CONFIDENCE, 2 * (self.matches + 1))) / 2 / self.pairs)

    def fits(self, calibrated_rate: float) -> bool:
        """Return whether the site is no harder than the calibration says, as far as the pairs can tell."""
        return self.least_rate <= MOST_ABOVE_CALIBRATION * calibrated_rate

    def rate_beside(self, calibrated_rate: float) -> float:
        """Return the rate to go by: the site's upper bound where its pairs tell more, or worse, than the calibration.

        A calibration knows some hundred thousand pairs; a site with many places meets more in an hour.
        """
        if self.least_rate > calibrated_rate:
            return self.most_rate
        return min(calibrated_rate, self.most_rate)
