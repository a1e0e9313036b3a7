{# Day 0 is the player's first. The last day with events may not be over, and its numbers then grow. #}
with cohorts as (
  select first_day as cohort, count(*) as size from {{ ref("players") }} group by first_day
),
returns as (
  select players.first_day as cohort, date_diff('day', players.first_day, active.day) as day_number, count(*) as players
  from {{ ref("player_days") }} as active
  join {{ ref("players") }} as players on players.player = active.player
  group by 1, 2
)
select
  cohorts.cohort, ages.day_number, cohorts.size, coalesce(returns.players, 0) as players,
  coalesce(returns.players, 0) / cast(cohorts.size as double) as rate
from cohorts
cross join (values {% for day in range(31) %}({{ day }}){{ ", " if not loop.last }}{% endfor %}) as ages (day_number)
left join returns on returns.cohort = cohorts.cohort and returns.day_number = ages.day_number
where date_diff('day', cohorts.cohort, (select max(day) from {{ ref("player_days") }})) >= ages.day_number
