"""The bootstrap on cells: a check on every analytic interval.

Order: ``resampling_plan`` and ``resampling`` (whom to draw), ``measure_vector`` (what to compute), ``bootstrap_table``,
``pooled_shares``, ``bootstrap_e1`` and ``bootstrap`` (any estimator), read by ``bootstrap_result`` and
``bootstrap_intervals``.
"""
