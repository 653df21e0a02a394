"""Features that an upstream lacks, emulated in the gateway: one per module."""
