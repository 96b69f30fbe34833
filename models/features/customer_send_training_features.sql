{{ config(materialized='view') }}
select * exclude (is_of_run) from {{ ref('send_rows') }} where not is_of_run
