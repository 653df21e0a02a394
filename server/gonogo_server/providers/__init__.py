"""Providers: the engine of this process, or other servers, behind one Protocol."""
