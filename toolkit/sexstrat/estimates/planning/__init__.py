"""Before a study is done: what a number validated, a score and a cohort will give, and where to validate next.

Order: the population (``planned_cells``, ``pilot_cells``), what to expect (``anticipated_margin``, ``anticipated``,
``planning``), what is needed (``goal``, ``needed``), where (``neyman``, ``allocation``).
"""
