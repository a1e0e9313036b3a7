{# Incremental models write what changed: rows that are new, and rows that are gone, in one commit. #}

{# The model's rows at first; later those that differ from the table's, of those that match `scope`. #}
{% macro delta(query, scope) %}
  {% if not is_incremental() %}
    {{ query }}
  {% else %}
    with fresh as (select * from ({{ query }}) as every_row where {{ scope }}),
    stored as (select * from {{ this }} where {{ scope }})
    select *, false as is_gone from (select * from fresh except select * from stored) as added
    union all
    select *, true as is_gone from (select * from stored except select * from fresh) as removed
  {% endif %}
{% endmacro %}

{# A changed row is both gone and new: the old one matches and is deleted, the new one is inserted beside it. #}
{% macro get_incremental_delta_sql(arguments) %}
  {% set names = arguments["dest_columns"] | map(attribute="name") | list %}
  merge into {{ arguments["target_relation"] }} as stored
  using {{ arguments["temp_relation"] }} as changed
  on changed.is_gone {% for name in config.require("row_key") %} and stored.{{ name }} = changed.{{ name }} {% endfor %}
  when matched then delete
  when not matched then insert ({{ names | join(", ") }})
    values ({% for name in names %}changed.{{ name }}{{ ", " if not loop.last }}{% endfor %})
{% endmacro %}

{# What is summed of an event's offset: offsets of imported lines are numbers of 62 bits. #}
{% macro short_offset() %}kafka_offset % 4294967291{% endmacro %}

{# The keys whose rows of the table are not made of exactly these events, by their number and the sum of their offsets. #}
{% macro changed(keys, events, number="1", offsets=short_offset()) %}
  select {% for key in keys %} coalesce(now.{{ key }}, stored.{{ key }}) as {{ key }}{{ ", " if not loop.last }} {% endfor %}
  from (
    select {{ keys | join(", ") }}, sum({{ number }}) as number, sum({{ offsets }}) as offsets
    from {{ events }} as events group by {{ keys | join(", ") }}
  ) as now
  full join (
    select {{ keys | join(", ") }}, sum(events) as number, sum(offsets) as offsets
    from {{ caller() if caller else this }} as made group by {{ keys | join(", ") }}
  ) as stored
  on {% for key in keys %} now.{{ key }} = stored.{{ key }} {{ "and" if not loop.last }} {% endfor %}
  where now.number is distinct from stored.number or now.offsets is distinct from stored.offsets
{% endmacro %}

{# The first column of a query's rows; none while dbt only reads the project. #}
{% macro first_column(query) %}
  {{ return(run_query(query).columns[0].values() if execute else []) }}
{% endmacro %}
