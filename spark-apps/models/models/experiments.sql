{# Players who had several variants say nothing about either. #}
with counted as (
  select
    experiment, variant, count(*) as assigned, count(exposed_at) as exposed, count(converted_at) as converted
  from {{ ref("experiment_players") }}
  where variants = 1
  group by experiment, variant
),
rates as (
  select
    *, converted / cast(nullif(exposed, 0) as double) as rate,
    {{ wilson("converted", "nullif(exposed, 0)", -1) }} as rate_low,
    {{ wilson("converted", "nullif(exposed, 0)", 1) }} as rate_high,
    first_value(variant) over (partition by experiment order by case
      {% for experiment, control in var("controls").items() %}
      when experiment = '{{ experiment }}' and variant = '{{ control }}' then 0
      {% endfor %}
      when variant = 'control' then 1 else 2 end, variant) as control
  from counted
)
{# Newcombe's interval of the difference, which also holds for few players and for rates near 0 and 1. #}
select
  one.experiment, one.variant, one.control, one.assigned, one.exposed, one.converted,
  one.rate, one.rate_low, one.rate_high,
  case when one.variant <> one.control then one.rate - base.rate end as lift,
  case when one.variant <> one.control then one.rate - base.rate - sqrt(
    power(one.rate - one.rate_low, 2) + power(base.rate_high - base.rate, 2)
  ) end as lift_low,
  case when one.variant <> one.control then one.rate - base.rate + sqrt(
    power(one.rate_high - one.rate, 2) + power(base.rate - base.rate_low, 2)
  ) end as lift_high
from rates as one
join rates as base on base.experiment = one.experiment and base.variant = one.control
