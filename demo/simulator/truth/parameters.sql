-- The population's parameters, and the formulas they stand in.
select name, value, meaning from truth_parameters
union all
select
    'season_' || cast(day as varchar) as name,
    season as value,
    'the shop''s season on the day, before the personal weekday factor' as meaning
from days
order by name
