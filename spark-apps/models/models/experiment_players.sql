with stated as (
  {# A client says with each event which variants the player has, … #}
  select
    events.player, pairs.experiment, pairs.variant, events.occurred_at, events.kafka_partition, events.kafka_offset,
    false as is_exposure
  from {{ ref("events_by_day") }} as events
  {{ join_pairs("events.experiments", "experiment", "variant") }}
  union all
  {# … and once that the player saw one. #}
  select player, experiment, variant, occurred_at, kafka_partition, kafka_offset, true
  from {{ ref("events_by_day") }} where experiment is not null and variant is not null
),
assigned as (
  select
    player, experiment, min_by(variant, row(occurred_at, kafka_partition, kafka_offset)) as variant,
    count(distinct variant) as variants, min(occurred_at) as assigned_at,
    min(case when is_exposure then occurred_at end) as exposed_at
  from stated
  group by player, experiment
)
select
  assigned.player, assigned.experiment, assigned.variant, assigned.variants, assigned.assigned_at, assigned.exposed_at,
  min(events.occurred_at) as converted_at
from assigned
left join {{ ref("events_by_day") }} as events
  on events.player = assigned.player and {{ is_a(var("conversion")) }}
  and events.occurred_at >= assigned.exposed_at
  and events.occurred_at <= assigned.exposed_at + interval '{{ var("conversion_days") }}' day
group by 1, 2, 3, 4, 5, 6
