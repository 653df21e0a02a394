"""The rules: read from the feature files, selected by id."""

from gonogo.rules.catalogue import Catalogue, Scenario, load

__all__ = ["Catalogue", "Scenario", "load"]
