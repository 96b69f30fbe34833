"""Command-line tools around `dbt build`: make targets that run as `python -m tools.<name>`."""
