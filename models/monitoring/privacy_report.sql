-- Grain: model with columns about people, and purpose for which it is there. Made from the YAML:
-- purposes and legal bases are the models' meta, by folder in dbt_project.yml; which columns are
-- about people is in seeds/privacy/personal_columns.csv.
with documented as (
    {{ documented_columns() }}
),

purposes as (
    {{ documented_purposes() }}
),

personal_columns as (
    select * from {{ ref('personal_columns') }}
),

personal as (
    select
        documented.model_name,
        documented.layer,
        personal_columns.column_name,
        personal_columns.category
    from documented
    inner join personal_columns
        on position((' ' || personal_columns.column_name || ' ') in (documented.column_names)) > 0
),

kinds as (
    select
        model_name,
        {{ dbt.listagg('category', "', '", 'order by category') }} as categories
    from (
        select distinct
            model_name,
            category
        from personal
    ) as distinct_kinds
    group by model_name
),

models as (
    select
        model_name,
        layer,
        {{ dbt.listagg('column_name', "', '", 'order by column_name') }} as personal_columns
    from personal
    group by model_name, layer
),

final as (
    select
        models.model_name,
        models.layer,
        coalesce(purposes.purpose, 'not stated') as purpose,
        coalesce(purposes.legal_basis, 'not stated') as legal_basis,
        -- Profiling rests on what the shop itself declares.
        coalesce(purposes.purpose, 'not stated') <> 'profiling'
        or coalesce(purposes.legal_basis = '{{ var("profiling_basis") }}', false) as is_declared,
        models.personal_columns,
        kinds.categories
    from models
    inner join kinds on models.model_name = kinds.model_name
    left join purposes on models.model_name = purposes.model_name
)

select * from final
