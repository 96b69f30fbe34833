{{ config(materialized='view') }}
select * exclude (is_of_run) from {{ ref('category_rows') }} where not is_of_run
