-- No event is missing in a model made of it, and none counts twice.
select *
from (
  select
    (select count(*) from {{ ref("events_by_day") }}) as events,
    (select count(*) from (select distinct kafka_partition, kafka_offset from {{ ref("events_by_day") }})) as places,
    (select coalesce(sum(events), 0) from {{ ref("player_days") }}) as of_days,
    (select coalesce(sum(events), 0) from {{ ref("sessions") }}) as of_sessions,
    (select coalesce(sum(events), 0) from {{ ref("players") }}) as of_players
) as numbers
where not (events = places and places = of_days and of_days = of_sessions and of_sessions = of_players)
