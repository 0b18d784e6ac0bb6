with

    errors as (
        {% for source in [
            "infrared",
            "manual",
            "mat",
            "mechanical",
            "thermal",
            "video",
        ] %}
            select
                '{{ source }}' as count_source,
                {{ var(source ~ "_error_percent") }} / 100.0 as error,
                {{ var("visits_per_100_entries") }} / 100.0 as visits_per_entry
            union all
        {% endfor %}
        -- A share of the phones: nobody knows which.
        select 'wifi', null::double, 1.0
    )

select
    count_source::varchar as count_source,
    error::double as error,
    visits_per_entry::double as visits_per_entry

from errors
order by count_source
