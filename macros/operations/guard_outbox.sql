{#
    Stops esp_outbox before it writes anything, where a build would change more at the ESP than an
    ordinary day does: an empty or broken landing looks like everybody's leaving. Runs as its
    pre-hook, after scrub_outbox: an erasure that is confirmed frees the address for somebody else,
    who is counted. The var approve_esp_changes lets one build through that would change so many
    profiles and no other number.

    Args:
        relation (Relation): esp_outbox.
    Returns: str, nothing to execute.
    Errors: says what would happen, and with which var it may.
#}
{% macro guard_outbox(relation) -%}
    {%- if execute and not flags.EMPTY and var('profiling_basis') is not none -%}
        {%- set row = run_query(lettershop.outbox_counts(relation)).rows[0] -%}
        {%- set written, synced, sent, wanted, gone, changed = row.values() | map('int') -%}
        {%- set problem = lettershop.outbox_problem(written, sent, wanted, gone, changed, synced) -%}
        {%- if problem and var('approve_esp_changes') != changed -%}
            {%- do exceptions.raise_compiler_error(
                'Nothing was written to esp_outbox: ' ~ problem ~ '\nIn all ' ~ changed ~ ' profiles would'
                ~ ' change, are new or go. If that is meant to be so, build once with the var'
                ~ ' approve_esp_changes: ' ~ changed ~ '.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#
    What is wrong with the changes that a build would write.

    Args:
        written (int), sent (int), wanted (int), gone (int), changed (int): see outbox_counts.
        synced (int): contacts of the ESP that carry a greater number than any row of the outbox.
    Returns: str, a sentence; none where all is well. A first build may write anything.
#}
{% macro outbox_problem(written, sent, wanted, gone, changed, synced) %}
    {%- if synced and written -%}
        {{ return(
            synced ~ ' contacts of the ESP carry a greater number than its newest row. Is this an'
            ~ ' older copy of the state file (LETTERSHOP_STATE)? With it ' ~ changed ~ ' profiles'
            ~ ' would change, and what has ended since it was made would never be told.'
        ) }}
    {%- elif synced -%}
        {{ return(
            'it has no rows, and ' ~ synced ~ ' contacts of the ESP carry a number from it. Is this'
            ~ ' the state file of the builds before (LETTERSHOP_STATE)? Without it ' ~ changed
            ~ ' profiles would be sent again, and what has ended since would never be told.'
        ) }}
    {%- elif sent and not wanted -%}
        {{ return(
            'nobody is to be written to any more, and ' ~ sent ~ ' profiles were. All of them would'
            ~ ' be taken from the ESP.'
        ) }}
    {%- elif gone * 5 > sent -%}
        {{ return(
            gone ~ ' of ' ~ sent ~ ' profiles would be taken from the ESP, more than 20 %.'
        ) }}
    {%- elif sent and changed * 10 > sent * 3 -%}
        {{ return(
            changed ~ ' profiles would change, are new or go, more than 30 % of the ' ~ sent
            ~ ' that were sent.'
        ) }}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}
