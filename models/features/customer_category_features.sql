{{ config(materialized='table') }}
select * exclude (is_of_run) from {{ ref('category_rows') }} where is_of_run
