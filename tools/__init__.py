"""Command-line tools around `dbt build`; each is a make target and runs as `python -m tools.<name>`."""
