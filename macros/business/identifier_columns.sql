{#
    Where identifiers of people stand: every table that the project builds, with the columns whose
    names say so. Read from dbt's graph, so that a new table or column cannot be forgotten. Models of
    a shop that has this project as a package are not among them: they are the shop's to clean.

    Args:
        reader (str): the model that reads the tables. It has to come after them: where one is not
            upstream of it, the build stops.
    Returns: list of dict(table, relation, is_staging, has_store, happened_at, columns), columns a
        list of [type, column], both SQL expressions; empty while parsing.
    Errors: names the table that is missing in the reader's `depends_on`.
#}
{% macro identifier_tables(reader) %}
    {%- if not execute -%}{{ return([]) }}{%- endif -%}
    {%- set types = {
        'customer_id': "'customer_id'",
        'merged_into_customer_id': "'customer_id'",
        'left_customer_id': "'customer_id'",
        'right_customer_id': "'customer_id'",
        'external_id': "'customer_id'",
        'email': "'email'",
        'phone': "'phone'",
        'esp_contact_id': "'esp_contact_id'",
        'merged_into_contact_id': "'esp_contact_id'",
        'anonymous_id': "'anonymous_id'",
        'identifier': 'identifier_type',
        'visitor': 'visitor_type',
        'left_identifier': 'left_type',
        'right_identifier': 'right_type',
        'esp_id': ["'customer_id'", "'esp_contact_id'", "'email'"],
        'new_esp_id': ["'customer_id'", "'esp_contact_id'", "'email'"],
    } -%}
    {%- set times = ['occurred_at', 'ordered_at', 'signed_up_at', 'created_at', 'opened_at', 'redeemed_at'] -%}
    {%- set upstream = lettershop.upstream_of(reader) -%}
    {%- set tables = [] -%}
    {%- for id, node in graph.nodes.items() | sort(attribute='0')
        if node.resource_type == 'model' and node.package_name == 'lettershop'
            and node.config.materialized in ['table', 'incremental'] -%}
        {%- set columns = [] -%}
        {%- for name in node.columns if name in types -%}
            {%- for type in ([types[name]] if types[name] is string else types[name]) -%}
                {%- do columns.append([type, name]) -%}
            {%- endfor -%}
        {%- endfor -%}
        {#- A person is named by an identifier of theirs: see identifier_node. -#}
        {%- if 'person' in node.columns -%}
            {%- do columns.append([
                'split_part(person, chr(31), 2)', 'split_part(person, chr(31), 3)'
            ]) -%}
        {%- endif -%}
        {%- if columns and node.name != reader -%}
            {%- if id not in upstream -%}
                {%- do exceptions.raise_compiler_error(
                    node.name ~ ' has identifiers of people and is not checked: add it to the'
                    ~ ' depends_on of ' ~ reader ~ '.'
                ) -%}
            {%- endif -%}
            {%- do tables.append({
                'table': node.fqn[1] ~ '.' ~ node.name,
                'relation': node.relation_name,
                'is_staging': node.fqn[1] == 'staging',
                'has_store': 'store' in node.columns,
                'happened_at': (times | select('in', node.columns) | list + ['null']) | first,
                'columns': columns,
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(tables) }}
{% endmacro %}

{#
    Everything that a model reads, at whatever distance.

    Args:
        model (str): its name.
    Returns: list of str, unique ids.
#}
{% macro upstream_of(model) %}
    {%- set found = [] -%}
    {%- set ahead = ['model.lettershop.' ~ model] -%}
    {%- for id in ahead -%}
        {%- for parent in graph.nodes[id].depends_on.nodes if parent in graph.nodes and parent not in found -%}
            {%- do found.append(parent) -%}
            {%- do ahead.append(parent) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{% endmacro %}
