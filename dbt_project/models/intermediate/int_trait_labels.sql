with

    demographics as (select * from {{ ref("int_visitor_demographics") }}),

    expressions as (select * from {{ ref("int_visitor_expressions") }}),

    age_bands as (select * from {{ ref("attribute_classes") }} where trait = 'age'),

    told_apart as (

        select
            demographics.location_id,
            demographics.business_day,
            demographics.face_id,
            age_bands.class as age_band,
            case
                when demographics.female >= 1 - demographics.female
                then 'female'
                when demographics.female is not null
                then 'male'
            end as gender

        from demographics
        -- A network may guess less than 0 years.
        left join
            age_bands
            on (
                demographics.age_years >= age_bands.from_years
                or age_bands.from_years = 0
            )
            and demographics.age_years < age_bands.up_to_years

    ),

    -- The likeliest; of two as likely the first by name.
    shown as (

        select
            location_id,
            camera_id,
            zone,
            business_day,
            face_id,
            arg_max(expression, (probability, expression)) as expression

        from
            (
                unpivot expressions on neutral,
                happy,
                sad,
                angry,
                fearful,
                disgusted,
                surprised
                into name expression value probability
            )
        group by location_id, camera_id, zone, business_day, face_id

    ),

    final as (

        select
            location_id,
            null::varchar as camera_id,
            null::varchar as zone,
            business_day,
            face_id,
            'age' as trait,
            age_band as class
        from told_apart
        where age_band is not null
        union all
        select
            location_id,
            null::varchar,
            null::varchar,
            business_day,
            face_id,
            'gender',
            gender
        from told_apart
        where gender is not null
        union all
        select
            location_id,
            null::varchar,
            null::varchar,
            business_day,
            face_id,
            'age_gender',
            gender || '_' || age_band
        from told_apart
        where age_band is not null and gender is not null
        union all
        select
            location_id,
            camera_id,
            zone,
            business_day,
            face_id,
            'expression',
            expression
        from shown

    )

select *
from final
