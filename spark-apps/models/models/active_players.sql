{% for period in ["day", "week", "month"] %}
select
  '{{ period }}' as period, cast(date_trunc('{{ period }}', active.day) as date) as since,
  count(distinct active.player) as players,
  count(distinct case when date_trunc('{{ period }}', players.first_day) = date_trunc('{{ period }}', active.day)
    then active.player end) as new_players,
  sum(active.events) as events, sum(active.revenue) as revenue
from {{ ref("player_days") }} as active
join {{ ref("players") }} as players on players.player = active.player
group by 2
{{ "union all" if not loop.last }}
{% endfor %}
