{#
    Makes the queue of erasures and the outbox where there are none yet, so that staging can read
    them in the first build as in any other. Runs as on-run-start, after preflight.

    Returns: str, nothing to execute.
#}
{% macro create_state() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'retry', 'test', 'seed', 'snapshot'] -%}
        {%- set schema = lettershop.generate_schema_name('activation', none) | trim -%}
        {%- set tables = {
            'esp_erasure_queue': 'store varchar, identifier_type varchar, identifier varchar,'
                ~ ' identifier_hash varchar, erasure_hash varchar, key_hash varchar,'
                ~ ' requested_at timestamp, confirmed_at timestamp, suppression_reason varchar,'
                ~ ' suppressed_at timestamp',
            'esp_outbox': 'change_seq bigint, op varchar, customer_key varchar, esp_id varchar,'
                ~ ' new_esp_id varchar, email varchar, payload varchar, payload_hash varchar,'
                ~ ' reason varchar, changed_at varchar, run_id varchar',
        } -%}
        {%- for name, columns in tables.items()
            if lettershop.state_relation('activation', name) is none -%}
            {%- set table = api.Relation.create(
                database=lettershop.stored_name(lettershop.state_database() | trim),
                schema=lettershop.stored_name(schema),
                identifier=lettershop.stored_name(name),
                type='table'
            ) -%}
            {%- do adapter.create_schema(table.without_identifier()) -%}
            {%- do run_query('create table if not exists ' ~ table ~ ' (' ~ columns ~ ')') -%}
            {%- do adapter.cache_added(table) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
