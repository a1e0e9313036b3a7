{{ config(
  materialized="incremental", incremental_strategy="delta", row_key=["day", "player"]
) }}
{% set every %}
select
  day, player, min(occurred_at) as first_at, max(occurred_at) as last_at,
  max_by(platform, row(occurred_at, kafka_offset)) filter (where platform is not null) as platform,
  max_by(app_version, row(occurred_at, kafka_offset)) filter (where app_version is not null) as app_version,
  max_by(country, row(occurred_at, kafka_offset)) filter (where country is not null) as country,
  sum(case when family = 'purchases' then 1 else 0 end) as purchases,
  cast(sum(case when family = 'purchases' and gold < 0 then -gold else 0 end) as bigint) as revenue,
  min(case when family = 'purchases' then occurred_at end) as first_purchase_at,
  min(case when family = 'purchases' and gold < 0 then occurred_at end) as first_paid_purchase_at,
  count(*) as events, cast(sum({{ short_offset() }}) as bigint) as offsets
from {{ ref("events_by_day") }}
group by day, player
{% endset %}
{% if is_incremental() %}
  {% set days = first_column("select day from (" ~ changed(["day"], ref("events_by_day")) ~ ") as differing") %}
  {% set scope = "day in (date '" ~ days | join("', date '") ~ "')" if days else "false" %}
{% endif %}
{{ delta(every, scope) }}
