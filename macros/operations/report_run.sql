{#
    What a build prints at its end: the lifecycle days that the shop's own rhythm suggests beside
    the fixed ones, how many raw rows were rejected, which limits of data quality are crossed, what
    the ESP is to be told, and, while profiling_basis is not declared, that nothing may be sent. Wired as on-run-end; speaks
    only of models that this run built.

    Args:
        results (list): dbt's results.
    Returns: str, nothing to execute.
#}
{% macro report_run(results) %}
    {%- if execute -%}
        {%- set built = {} -%}
        {%- for result in results
            if result.status == 'success' and result.node.package_name == 'lettershop' -%}
            {%- do built.update({result.node.name: result.node.relation_name}) -%}
        {%- endfor -%}
        {%- if 'lifecycle_days' in built -%}
            {%- set days = run_query(
                'select threshold_id, fixed_days, suggested_days, days from '
                ~ built['lifecycle_days']
                ~ ' where suggested_days is not null order by fixed_days, threshold_id'
            ) -%}
            {%- for row in days.rows -%}
                {%- do log(
                    'Lifecycle: ' ~ row[0] ~ ' is ' ~ row[1] ~ ' days in the seed, ' ~ row[2]
                    ~ ' by the rhythm of repeat purchases; ' ~ row[3] ~ ' are used.', info=true
                ) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- if 'landing_accounting' in built -%}
            {%- set rejected = run_query(
                'select coalesce(sum(rejected_count), 0), coalesce(sum(raw_count), 0) from '
                ~ built['landing_accounting']
            ).rows[0] -%}
            {%- do log(
                'Landing: ' ~ rejected[0] ~ ' of ' ~ rejected[1]
                ~ ' raw rows rejected; monitoring.rejected_rows says which and why.', info=true
            ) -%}
        {%- endif -%}
        {%- if 'landing_accounting' in built -%}
            {%- set tables = run_query(
                'select landing_table, rejected_count, raw_count from '
                ~ built['landing_accounting'] ~ ' where rejected_rate > '
                ~ var('max_rejected_rate') ~ ' order by landing_table'
            ) -%}
            {%- for row in tables.rows -%}
                {%- do log(
                    'Landing: ' ~ row[1] ~ ' of ' ~ row[2] ~ ' rows of ' ~ row[0]
                    ~ ' are rejected, more than max_rejected_rate allows (' ~ var('max_rejected_rate')
                    ~ "): select reject_reason, count(*) from monitoring.rejected_rows where"
                    ~ " landing_table = '" ~ row[0] ~ "' group by 1", info=true
                ) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- if 'data_quality_alerts' in built -%}
            {%- set alerts = run_query(
                'select severity, landing_table, column_name, message from '
                ~ built['data_quality_alerts']
                ~ ' order by severity, landing_table, column_name, check_name'
            ).rows -%}
            {%- if alerts -%}
                {%- set first = alerts[0] -%}
                {%- set where = first[1] ~ ('' if first[2] == '*' else '.' ~ first[2]) -%}
                {%- do log(
                    'Data quality: ' ~ alerts | length
                    ~ (' limit is' if alerts | length == 1 else ' limits are') ~ ' crossed, '
                    ~ alerts | selectattr(0, 'equalto', 'error') | list | length
                    ~ ' of them errors; monitoring.data_quality_alerts says which. '
                    ~ ('The first: ' if alerts | length > 1) ~ where ~ ': ' ~ first[3], info=true
                ) -%}
            {%- endif -%}
        {%- endif -%}
        {%- if 'esp_outbox' in built -%}
            {%- set ops = run_query(
                'select op, count(*) from ' ~ built['esp_outbox'] ~ " where run_id = '"
                ~ invocation_id ~ "' group by op order by min(change_seq)"
            ) -%}
            {%- set counts = [] -%}
            {%- for row in ops.rows -%}{%- do counts.append(row[1] ~ ' ' ~ row[0]) -%}{%- endfor -%}
            {%- do log(
                'Outbox: ' ~ (counts | join(', ') or 'no change')
                ~ '; activation.esp_outbox says which and why.', info=true
            ) -%}
            {%- if var('sync_scope') == 'existing_contacts' and not var('using_esp_contacts') -%}
                {%- do log(
                    'Outbox: sync_scope is existing_contacts, and there is no export of contacts'
                    ~ ' (using_esp_contacts: false): nobody new is sent.', info=true
                ) -%}
            {%- endif -%}
        {%- endif -%}
        {%- if 'esp_profiles' in built and var('profiling_basis') is none -%}
            {%- do exceptions.warn(
                'The var profiling_basis is not set: everything is built, and nothing may be sent'
                ~ ' until the shop declares on which basis it profiles (legitimate_interest).'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
