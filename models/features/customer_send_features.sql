{{ config(materialized='table') }}
select * exclude (is_of_run) from {{ ref('send_rows') }} where is_of_run
