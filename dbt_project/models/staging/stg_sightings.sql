with

    source as (select * from {{ source("raw", "sightings") }}),

    renamed as (

        select
            -- ids
            face_image_id,
            image_id,
            camera_id,
            location_id,
            local_visitor_id,

            -- times
            captured_at,
            business_day,

            -- evidence
            match_score,
            unidentified_reason,
            zone as drawn_zone,

            -- provenance
            detector,
            embedder,
            version as local_visitors_version

        from source

    )

select *
from renamed
