"""Follows parcels from scan to report. What other programs may call is in flow."""
