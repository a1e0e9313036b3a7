-- All players of a cohort are active on its first day, and never more than there are.
select * from {{ ref("retention") }} where players > size or (day_number = 0 and players <> size)
