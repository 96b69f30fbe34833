"""The sync to the e-mail platform: `python -m tools.sync`."""
