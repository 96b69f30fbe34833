"""Pure functions behind the models of `training/` and `scoring/`: numpy in, numpy or SQL text out.

Nothing here knows dbt. What knows the engine is in `engine.py` alone. scikit-learn and scipy are
imported where they are used, so that a build that keeps its models does not wait for them.
"""
