with

    source as (select * from {{ source("raw", "visitor_numbers") }}),

    renamed as (

        select
            linkage_window,
            face_id,
            ordinal,
            visitor_id,
            -- In the order of Visitor IDs: sorting by the number sorts by them, and a
            -- number is cheaper to group by than a text.
            row_number() over (order by visitor_id, linkage_window, face_id)::integer
            as visitor_number

        from source

    )

select *
from renamed
