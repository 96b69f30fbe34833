{#
    Makes the queue of erasures and the outbox where there are none yet, so that staging can read
    them in the first build as in any other, and gives older ones the columns that they lack. Runs
    as on-run-start, after preflight.

    Returns: str, nothing to execute.
#}
{% macro create_state() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'retry', 'test', 'seed', 'snapshot'] -%}
        {%- set schema = lettershop.generate_schema_name('activation', none) | trim -%}
        {%- set tables = {
            'esp_erasure_queue': 'store varchar, identifier_type varchar, identifier varchar,'
                ~ ' identifier_hash varchar, erasure_hash varchar, key_hash varchar,'
                ~ ' requested_at timestamp, confirmed_at timestamp, suppression_reason varchar,'
                ~ ' suppressed_at timestamp, key_check varchar',
            'esp_exports': 'store varchar, exported_at timestamp, contact_count bigint',
            'esp_outbox': 'change_seq bigint, op varchar, customer_key varchar, esp_id varchar,'
                ~ ' new_esp_id varchar, email varchar, payload varchar, payload_hash varchar,'
                ~ ' daily_hash varchar, reason varchar, changed_at varchar, run_id varchar',
        } -%}
        {%- set place = api.Relation.create(
            database=lettershop.stored_name(lettershop.state_database() | trim),
            schema=lettershop.stored_name(schema)
        ) -%}
        {%- for name, columns in tables.items() -%}
            {%- set there = lettershop.state_relation('activation', name) -%}
            {%- set known = [] if there is none else adapter.get_columns_in_relation(there)
                | map(attribute='name') | map('lower') | list -%}
            {#- This also ends the transaction in which one looked: what follows is to stay. -#}
            {%- do adapter.create_schema(place) -%}
            {%- if there is none -%}
                {%- set table = place.incorporate(
                    path={'identifier': lettershop.stored_name(name)}, type='table'
                ) -%}
                {%- do run_query('create table if not exists ' ~ table ~ ' (' ~ columns ~ ')') -%}
                {%- do adapter.cache_added(table) -%}
            {%- else -%}
                {%- for column in columns.split(', ') if column.split(' ')[0] not in known -%}
                    {%- do run_query('alter table ' ~ there ~ ' add column ' ~ column) -%}
                {%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
