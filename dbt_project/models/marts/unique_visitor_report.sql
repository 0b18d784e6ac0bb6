with

    visitor_days as (select * from {{ ref("visitor_day") }}),

    visits as (select * from {{ ref("int_visits") }}),

    locations as (select * from {{ ref("dim_locations") }}),

    frequencies as (

        select
            visitor_days.linkage_window,
            visitor_days.visitor_id,
            visitor_days.face_id,
            visitor_days.location_id,
            coalesce(locations.name, visitor_days.location_id) as location_name,
            sum(visitor_days.appearances)::bigint as appearances

        from visitor_days
        left join locations on visitor_days.location_id = locations.location_id
        group by all

    ),

    visit_counts as (
        select linkage_window, face_id, count(*) as visits
        from visits
        group by linkage_window, face_id
    ),

    visitors as (

        select
            linkage_window,
            visitor_id,
            face_id,
            sum(appearances)::bigint as total_appearances,
            -- A sort of each list costs a third of an ordered aggregate.
            list_sort(
                list(
                    struct_pack(
                        name := location_name,
                        location_id := location_id,
                        appearances := appearances
                    )
                )
            ) as places

        from frequencies
        group by linkage_window, visitor_id, face_id

    )

select
    visitors.linkage_window,
    visitors.visitor_id,
    visitors.face_id,
    visitors.total_appearances,
    visit_counts.visits,
    list_transform(visitors.places, lambda place:place.name) as locations_visited,
    array_to_string(
        list_transform(
            visitors.places, lambda place:place.name || ': ' || place.appearances
        ),
        ', '
    ) as visit_frequency_per_location

from visitors
inner join
    visit_counts
    on visitors.linkage_window = visit_counts.linkage_window
    and visitors.face_id = visit_counts.face_id
order by visitors.linkage_window, visitors.visitor_id
