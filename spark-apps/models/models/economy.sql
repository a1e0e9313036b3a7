with changes as (
  select day, event_type, 'gold' as kind, 'gold' as name, gold as number
  from {{ ref("events_by_day") }} where gold <> 0
  union all
  select day, event_type, 'gold', 'gold', target_gold from {{ ref("events_by_day") }} where target_gold <> 0
  union all
  select
    events.day, events.event_type, 'item',
    case rules.from_column when 'item' then events.item when 'loot' then events.loot else rules.item end, rules.number
  from {{ ref("events_by_day") }} as events
  join {{ ref("item_rules") }} as rules
    on rules.event_type = events.event_type and (rules.won is null or rules.won = coalesce(events.won, true))
)
select
  day, kind, name, event_type,
  cast(sum(case when number > 0 then number else 0 end) as bigint) as added,
  cast(sum(case when number < 0 then -number else 0 end) as bigint) as removed
from changes
where name is not null
group by day, kind, name, event_type
