{% set steps = var("funnel_steps") %}
with
{% for step in steps %}
step_{{ loop.index }} as (
  {% if loop.first %}
  select player, min(occurred_at) as reached_at, min(occurred_at) as begun_at
  from {{ ref("events_by_day") }} where {{ is_a(step) }} group by player
  {% else %}
  select events.player, min(events.occurred_at) as reached_at, before.begun_at
  from {{ ref("events_by_day") }} as events
  join step_{{ loop.index0 }} as before on before.player = events.player
  where {{ is_a(step) }} and events.occurred_at >= before.reached_at
    and events.occurred_at <= before.begun_at + interval '{{ var("funnel_days") }}' day
  group by events.player, before.begun_at
  {% endif %}
),
{% endfor %}
counted as (
  {% for step in steps %}
  select {{ loop.index }} as step, '{{ step }}' as name, count(*) as players from step_{{ loop.index }}
  {{ "union all" if not loop.last }}
  {% endfor %}
)
select
  step, name, players,
  players / cast(nullif(first_value(players) over (order by step), 0) as double) as of_first,
  players / cast(nullif(lag(players) over (order by step), 0) as double) as of_previous
from counted
