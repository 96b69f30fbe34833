-- Asked of the permissions and suppressions again, not of is_contactable.
select profiles.customer_key
from {{ ref('esp_profiles') }} as profiles
left join {{ ref('fct_permissions') }} as permissions
    on
        profiles.customer_key = permissions.customer_key
        and permissions.purpose = 'email_marketing'
        and permissions.is_permitted
left join {{ ref('fct_suppressions') }} as suppressions
    on profiles.email = suppressions.email
where permissions.customer_key is null or suppressions.email is not null
