with

    source as (select * from {{ source("raw", "face_attributes") }}),

    renamed as (

        select
            face_image_id,
            age_years,
            female,
            neutral,
            happy,
            sad,
            angry,
            fearful,
            disgusted,
            surprised

        from source

    )

select *
from renamed
