with

    camera_versions as (
        select * from {{ ref("int_camera_versions") }} where not staff_only
    ),

    zones as (select * from {{ ref("stg_camera_zones") }}),

    drawn as (select * from zones where is_drawn),

    -- A camera cannot tell those of its zones apart that nobody has drawn: they are one
    -- place.
    not_drawn as (

        select camera_id, valid_from, string_agg(zone, '+' order by zone) as zone
        from zones
        where not is_drawn
        group by camera_id, valid_from

    ),

    final as (

        select
            camera_versions.camera_id,
            camera_versions.location_id,
            camera_versions.effective_from,
            camera_versions.effective_to,
            drawn.zone,
            true as is_drawn,
            true as is_named

        from camera_versions
        inner join
            drawn
            on camera_versions.camera_id = drawn.camera_id
            and camera_versions.valid_from = drawn.valid_from

        union all

        -- what lies in no drawn area
        select
            camera_versions.camera_id,
            camera_versions.location_id,
            camera_versions.effective_from,
            camera_versions.effective_to,
            coalesce(not_drawn.zone, camera_versions.camera_id) as zone,
            false as is_drawn,
            not_drawn.zone is not null as is_named

        from camera_versions
        left join
            not_drawn
            on camera_versions.camera_id = not_drawn.camera_id
            and camera_versions.valid_from = not_drawn.valid_from

    )

select *
from final
