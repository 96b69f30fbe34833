select count(*) as cell_count
from {{ ref('rfm_segments') }}
having count(*) <> 25 and {{ has_rows() }}
