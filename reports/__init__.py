"""Report templates and style sheets."""
