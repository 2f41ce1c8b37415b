"""What would change a conclusion: analyses where nobody is validated, or where what is known may be wrong.

Order: priors (``beta_prior``, ``error_priors``) and draws, ``bias_analysis`` and ``misclassification_grid``;
``tipping_point`` of the score and of recording; ``noisy_recorded_sex`` and known duplicates; ``e_value``.
"""
