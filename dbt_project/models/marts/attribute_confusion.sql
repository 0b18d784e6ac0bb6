with confusion as (select * from {{ ref("stg_attribute_confusion") }})

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

from confusion
order by location_id, trait, true_class, labelled_class
