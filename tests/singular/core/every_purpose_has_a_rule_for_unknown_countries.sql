-- Without a row for `*`, permission for the purpose would silently not exist.
select purposes.purpose
from (select distinct purpose from {{ ref('permission_rules') }}) as purposes
left join {{ ref('permission_rules') }} as rules
    on purposes.purpose = rules.purpose and rules.country_code = '*'
where rules.purpose is null
union all
select 'email_marketing and profiling must have a rule'
from {{ ref('permission_rules') }}
having
    {{ has_rows() }}
    and (
        count(case when purpose = 'email_marketing' then 1 end) = 0
        or count(case when purpose = 'profiling' then 1 end) = 0
    )
