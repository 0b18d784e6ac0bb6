-- A row is a visitor seen on a day outside the linkage window of its identity.
select *
from {{ ref("visitor_day") }}
where linkage_window != {{ linkage_window("business_day") }}
