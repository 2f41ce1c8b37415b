"""The command line: thin, light to import, no traceback for a user's mistake.

Order: ``terminal`` (what is printed), ``card_text`` (a model card), the commands by what they touch
(``image_commands``, ``table_commands``, ``study_commands``), ``app`` (the tree of commands and the exit codes).
"""
