{{ config(
  materialized="incremental", incremental_strategy="delta", row_key=["player", "started_at"]
) }}
{% set every %}
select
  player, min(occurred_at) as started_at, max(occurred_at) as ended_at, cast(min(occurred_at) as date) as day,
  {{ seconds("min(occurred_at)", "max(occurred_at)") }} as seconds,
  min_by(platform, row(occurred_at, kafka_offset)) filter (where platform is not null) as platform,
  min_by(app_version, row(occurred_at, kafka_offset)) filter (where app_version is not null) as app_version,
  min_by(country, row(occurred_at, kafka_offset)) filter (where country is not null) as country,
  count(*) as events, cast(sum({{ short_offset() }}) as bigint) as offsets
from (
  select *, sum(begins) over (
    partition by player order by occurred_at, kafka_partition, kafka_offset
    rows between unbounded preceding and current row
  ) as session
  from (
    select *, case when occurred_at - lag(occurred_at) over (
      partition by player order by occurred_at, kafka_partition, kafka_offset
    ) <= interval '{{ var("session_gap_minutes") }}' minute then 0 else 1 end as begins
    from {{ ref("events_by_day") }}
  ) as marked
) as numbered
group by player, session
{% endset %}
{# A late event can join two sessions, or come before the first one: all sessions of its player are looked at. #}
{% set differing = changed(["player"], ref("player_days"), "events", "offsets") %}
{% set scope = "player in (select player from (" ~ differing ~ ") as differing)" %}
{{ delta(every, scope) }}
