"""The shipped demonstration model: card, weights and their notice."""
