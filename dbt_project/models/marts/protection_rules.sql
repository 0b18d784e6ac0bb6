with
    rules as (
        select
            {{ var("least_visitors") }}::integer as least_visitors,
            {{ var("rounding") }}::integer as rounding,
            {{ var("least_feasible") }}::integer as least_feasible
    )

select *
from rules
