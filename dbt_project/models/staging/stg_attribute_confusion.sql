with

    source as (select * from {{ source("raw", "attribute_confusion") }}),

    renamed as (

        select
            location_id,
            trait,
            true_class,
            labelled_class,
            people,
            digest,
            origin,
            made_on,
            accuracy,
            coverage

        from source

    )

select *
from renamed
