-- Asks the permissions again, not the list of who may be profiled.
with featured as (
    {%- for name in ['customer_features', 'customer_category_features', 'customer_send_features'] %}
    select distinct
        customer_key,
        '{{ name }}' as found_in
    from {{ ref(name) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    featured.customer_key,
    featured.found_in
from featured
left join {{ ref('fct_permissions') }} as permissions
    on featured.customer_key = permissions.customer_key and permissions.purpose = 'profiling'
where not coalesce(permissions.is_permitted, false)
