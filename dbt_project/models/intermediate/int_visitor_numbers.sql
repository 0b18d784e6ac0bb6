with

    visitor_numbers as (select * from {{ ref("stg_visitor_numbers") }}),

    identities as (select * from {{ ref("stg_identities") }}),

    -- In the order of Visitor IDs: sorting by the number sorts by them, and a number is
    -- cheaper to group by than a text. Of those on the map only: the ledger also keeps
    -- names that a correction made and its undoing took back.
    final as (

        select
            linkage_window,
            face_id,
            visitor_id,
            row_number() over (order by visitor_id, linkage_window, face_id)::integer
            as visitor_number

        from visitor_numbers
        where
            (linkage_window, face_id)
            in (select (linkage_window, face_id) from identities)

    )

select *
from final
