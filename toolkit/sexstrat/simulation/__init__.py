"""Stage of sexstrat."""
