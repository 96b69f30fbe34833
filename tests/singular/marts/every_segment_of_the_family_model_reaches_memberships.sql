-- Nobody whom a family's model names is lost on the way to the mart for want of a catalogue entry.
select
    (select count(*) from {{ ref('purchase_members') }})
    + (select count(*) from {{ ref('lifecycle_members') }})
    + (select count(*) from {{ ref('rfm_members') }})
    + (select count(*) from {{ ref('behaviour_members') }})
    + (select count(*) from {{ ref('browsing_members') }})
    + (select count(*) from {{ ref('predicted_members') }})
    + (select count(*) from {{ ref('rule_members') }})
    + (select count(*) from {{ ref('custom_members') }}) as family_count,
    count(*) as membership_count
from {{ ref('segment_memberships') }}
having
    count(*)
    <> (select count(*) from {{ ref('purchase_members') }})
    + (select count(*) from {{ ref('lifecycle_members') }})
    + (select count(*) from {{ ref('rfm_members') }})
    + (select count(*) from {{ ref('behaviour_members') }})
    + (select count(*) from {{ ref('browsing_members') }})
    + (select count(*) from {{ ref('predicted_members') }})
    + (select count(*) from {{ ref('rule_members') }})
    + (select count(*) from {{ ref('custom_members') }})
