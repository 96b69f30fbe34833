-- A spelling must mean one thing: none stands under two words of a domain.
{%- set spellings = [] -%}
{%- for domain, words in value_domains().items() -%}
{%- for word, aliases in words.items() -%}
{%- for spelling in [word] + aliases -%}
{%- do spellings.append("('" ~ domain ~ "', '" ~ spelling ~ "', '" ~ word ~ "')") -%}
{%- endfor -%}
{%- endfor -%}
{%- endfor %}
with spellings as (
    select given.* from (
        values
        {{ spellings | join(', ') }}
    ) as given (domain, spelling, word)
)

select
    domain,
    spelling
from spellings
group by domain, spelling
having count(*) > 1 or min(spelling) <> lower(min(spelling))
