-- No step has more players than the one before.
select * from {{ ref("funnel") }} where of_previous > 1
