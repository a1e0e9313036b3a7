{# What Trino says otherwise than DuckDB, on which the tests run. #}

{% macro moment(day) %}timestamp '{{ day }} 00:00:00{{ " UTC" if target.type == "trino" }}'{% endmacro %}

{% macro seconds(since, until) %}
  {%- if target.type == "trino" -%} (date_diff('millisecond', {{ since }}, {{ until }}) / 1000e0)
  {%- else -%} ((epoch_ms({{ until }}) - epoch_ms({{ since }})) / 1000e0)
  {%- endif -%}
{% endmacro %}

{# A join with the names and values of a JSON object of strings; text that is none has none. #}
{% macro join_pairs(object, name, value) %}
  {%- if target.type == "trino" -%}
    cross join unnest(try(cast(json_parse({{ object }}) as map(varchar, varchar)))) as pairs ({{ name }}, {{ value }})
  {%- else -%}
    cross join lateral (
      select unnest(json_keys({{ object }})) as {{ name }}, json_extract_string({{ object }}, '$."' || {{ name }} || '"') as {{ value }}
    ) as pairs
  {%- endif -%}
{% endmacro %}

{# Whether an event is of a type or a family. #}
{% macro is_a(kind) %}(family = '{{ kind }}' or event_type = '{{ kind }}'){% endmacro %}

{# Wilson's 95% interval of a share: the bound below it (-1) or above it (1). #}
{% macro wilson(successes, trials, side) -%}
  (({{ successes }} + 1.9208e0 {{ "-" if side < 0 else "+" }} 1.96e0 * sqrt(
    {{ successes }} * ({{ trials }} - {{ successes }}) / cast({{ trials }} as double) + 0.9604e0
  )) / ({{ trials }} + 3.8416e0))
{%- endmacro %}
