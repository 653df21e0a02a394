"""The rules: read from the feature files, selected by id or by profile."""

from gonogo.rules.catalogue import Catalogue, Scenario, load
from gonogo.rules.profiles import Profile, lies_under, profiles

__all__ = ["Catalogue", "Profile", "Scenario", "lies_under", "load", "profiles"]
