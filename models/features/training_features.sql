{{ config(materialized='view') }}
select * exclude (is_of_run) from {{ ref('feature_rows') }} where not is_of_run
