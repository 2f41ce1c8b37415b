"""What the people whose sex is known tell of the score, and whether it may be carried over to others.

Order: ``validated_people``; calibration and differential error (``calibration_by_disease``, ``nondifferential``,
``disease_shift``, ``accuracy_by_age``, ``calibration_measures``); who was recorded (``recorded_against_unrecorded``,
``score_mixture``); ``information``; ``transport`` and its parts; ways to impute (``imputations_needed``,
``imputation_comparison``); ``diagnostics`` gathers them.
"""
