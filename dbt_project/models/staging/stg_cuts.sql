with

    source as (select * from {{ source("raw", "cuts") }}),

    renamed as (

        select
            local_visitor_id,
            linkage_window,
            cut_01,
            cut_02,
            cut_03,
            cut_04,
            cut_05,
            cut_06,
            cut_07,
            cut_08,
            cut_09,
            cut_10,
            cut_11

        from source

    )

select *
from renamed
