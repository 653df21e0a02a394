"""Every scenario of the feature files, bound to the steps in this folder's conftest."""

from importlib import resources

from pytest_bdd import scenarios

scenarios(str(resources.files("gonogo") / "features"))
