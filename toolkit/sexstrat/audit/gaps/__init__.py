"""Gaps between the groups of an audit: how large, how sure, how many looked at, and what could have been seen."""
