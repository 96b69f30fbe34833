select * exclude (is_of_run) from {{ ref('feature_rows') }} where is_of_run
