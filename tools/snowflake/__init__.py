"""What Snowflake needs beside dbt: code on a stage, models in its registry."""
