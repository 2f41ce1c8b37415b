"""The frozen values that pass between stages: table contracts, age bands, score bins, cells, results.

Order: ``tables`` (contracts), ``age_bands``, ``logit_bins``, ``cells``, ``design``, ``random_effects``,
``results``; ``one_thread`` beside them.
"""
