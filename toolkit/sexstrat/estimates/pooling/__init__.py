"""Several sites in one analysis: cells that add up, shares that add up, and how much the sites differ.

Imported by module, as the other rooms of the estimates stage.
"""
