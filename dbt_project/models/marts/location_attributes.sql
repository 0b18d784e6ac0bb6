with attributes as (select * from {{ ref("stg_location_attributes") }})

select location_id, attribute, legal_basis, notice_since, valid_from, valid_to

from attributes
order by location_id, attribute, valid_from
