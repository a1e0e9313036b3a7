{{ config(
  materialized="incremental", incremental_strategy="delta", row_key=["kafka_partition", "kafka_offset"],
  properties={"partitioning": "ARRAY['day']"} if target.type == "trino" else none
) }}
{% set every %}
select
  cast(occurred_at as date) as day, player, family, event_type, occurred_at, received_at, session_id, platform,
  app_version, country, experiments, gold, target_gold, won, item, loot, strength, experiment, variant,
  kafka_partition, kafka_offset
from {{ source("lake", "player_events") }}
{% endset %}
{% if is_incremental() %}
  {# Days of reception, as `events` is partitioned: this reads no file of the days before. #}
  {% set received = "(select cast(received_at as date) as day, kafka_partition, kafka_offset from %s)" %}
  {% set stored = "(select cast(received_at as date) as day, kafka_partition, 1 as events, " ~ short_offset() ~ " as offsets from " ~ this ~ ")" %}
  {% set differing %}
    {% call changed(["day", "kafka_partition"], received % source("lake", "player_events")) %} {{ stored }} {% endcall %}
  {% endset %}
  {% set first = first_column("select min(day) from (" ~ differing ~ ") as differing") %}
  {% set scope = "received_at >= " ~ moment(first[0]) if first and first[0] else "false" %}
{% endif %}
{{ delta(every, scope) }}
