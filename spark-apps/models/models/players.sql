select
  player, min(first_at) as first_at, max(last_at) as last_at, min(day) as first_day, max(day) as last_day,
  count(*) as active_days,
  min_by(platform, day) filter (where platform is not null) as platform,
  min_by(app_version, day) filter (where app_version is not null) as app_version,
  min_by(country, day) filter (where country is not null) as country,
  sum(events) as events, sum(purchases) as purchases, sum(revenue) as revenue,
  {{ seconds("min(first_at)", "min(first_purchase_at)") }} as seconds_to_purchase,
  {{ seconds("min(first_at)", "min(first_paid_purchase_at)") }} as seconds_to_paid_purchase
from {{ ref("player_days") }}
group by player
