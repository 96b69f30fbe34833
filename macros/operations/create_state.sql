{#
    Makes the queue of erasures where there is none yet, so that staging can read it in the first
    build as in any other. Runs as on-run-start, after preflight.

    Returns: str, SQL statements; none where the table is there.
#}
{% macro create_state() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'retry', 'test', 'seed', 'snapshot'] -%}
        {%- set database = lettershop.state_database() | trim -%}
        {%- set schema = lettershop.generate_schema_name('activation', none) | trim -%}
        {%- set queue = api.Relation.create(
            database=database, schema=schema, identifier='esp_erasure_queue', type='table'
        ) -%}
        {%- if lettershop.state_relation('activation', 'esp_erasure_queue') is none -%}
            {%- do adapter.create_schema(queue.without_identifier()) -%}
            {%- do run_query(
                'create table if not exists ' ~ queue ~ ' (store varchar, identifier_type varchar,'
                ~ ' identifier varchar, identifier_hash varchar, erasure_hash varchar,'
                ~ ' key_hash varchar, requested_at timestamp, confirmed_at timestamp,'
                ~ ' suppression_reason varchar, suppressed_at timestamp)'
            ) -%}
            {%- do adapter.cache_added(queue) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
