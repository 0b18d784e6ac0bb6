"""The last look before protected counts leave the build: can a hidden one be concluded from those that are shown?"""

from typing import Final

import duckdb
import numpy as np

from footfall_assets.contracts.errors import PermanentFailure
from footfall_assets.domain.protection import Units, narrowest, shown_ranges

_RULES: Final = "select least_visitors, rounding, least_feasible from build.main.protection_rules"
# Each unit with the row of the unit it is a part of: an hour of its day, a day of its week, a week of its month.
_UNITS: Final = """
with
    units as (
        select
            row_number() over (order by location_id, grain, first_day, hour_starts_at) - 1 as unit,
            *,
            case grain when 'hour' then 'day' when 'day' then 'week' when 'week' then 'month' end as whole_grain,
            case
                when grain = 'hour' then first_day
                when grain = 'day' then greatest(date_trunc('week', first_day), date_trunc('month', first_day))::date
                when grain = 'week' then date_trunc('month', first_day)::date
            end as whole_first_day
        from build.main.protected_footfall
    )
select
    part.unit,
    coalesce(whole.unit, -1) as parent,
    list_position(['hour', 'day', 'week', 'month'], part.grain) - 1 as level,
    part.is_fewer as is_hidden,
    coalesce(part.unique_visitors, 0) as shown
from units as part
left join units as whole
    on part.location_id = whole.location_id
    and part.whole_grain = whole.grain
    and part.whole_first_day = whole.first_day
order by part.unit
"""


class ProtectionBroken(PermanentFailure):
    """Counts that a viewer would see say more about single people than the rules allow."""


def check_protection(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return how many values the best known hidden count still has; None where nothing is hidden.

    Args:
        connection: a DuckDB connection with the build attached as `build`.

    Raises:
        ProtectionBroken: fewer than the rules promise.
    """
    rules = connection.execute(_RULES).fetchone()
    if rules is None:
        raise ProtectionBroken("expected one row of protection rules, got none; build again: footfall run")
    least, rounding, least_feasible = rules
    rows = connection.execute(_UNITS).fetchnumpy()
    hidden = np.asarray(rows["is_hidden"], dtype=np.bool_)
    shown = np.asarray(rows["shown"], dtype=np.int64)
    low, high = shown_ranges(shown, hidden, least=least, rounding=rounding)
    parent, level = (np.asarray(rows[name], dtype=np.int64) for name in ("parent", "level"))
    found = narrowest(Units(parent, level, low, high), hidden)
    if found is not None and found < least_feasible:
        raise ProtectionBroken(
            f"expected at least {least_feasible} values for every hidden count, found one with {found}; "
            "nothing is published; this is a mistake in protected_footfall, please report it"
        )
    return found
