{{ config(
    materialized='incremental',
    database=state_database(),
    transient=false,
    full_refresh=false,
    incremental_strategy='delete+insert',
    unique_key=['product_key', 'seen_at'],
    on_schema_change='append_new_columns'
) }}

-- Grain: product and price, from when it was first seen until the next row. State
-- (docs/decisions/0004): the shop keeps today's price alone. A build adds a row where the price or
-- its currency is another than in the newest row; a product without a price adds none.
with products as (
    select * from {{ ref('dim_products') }}
    where list_price is not null
),

{% if is_incremental() -%}
known as (
    select * from {{ this }}
    where seen_at < {{ as_of_at() }}
    qualify row_number() over (partition by product_key order by seen_at desc nulls last) = 1
),

{% endif -%}
final as (
    select
        products.product_key,
        products.list_price,
        products.currency,
        {{ as_of_at() }} as seen_at
    from products
    {%- if is_incremental() %}
    left join known on products.product_key = known.product_key
    where
        known.product_key is null
        or products.list_price <> known.list_price
        or coalesce(products.currency, '') <> coalesce(known.currency, '')
    {%- endif %}
)

select * from final
where {{ has_rows() }}
