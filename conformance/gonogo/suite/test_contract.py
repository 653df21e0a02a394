"""Every scenario of the feature files, bound to the steps in this folder's conftest.

Scenarios about generated requests are omitted because this runner sends none, those about Node clients and about a
gateway because they need further setup.
"""

from importlib import resources

from pytest_bdd import scenarios

from gonogo.rules.catalogue import FUZZ_FEATURES, GATEWAY_FEATURES, NODE_FEATURES

_FOLDER = resources.files("gonogo") / "features"
_NAMES = sorted(file.name for file in _FOLDER.iterdir() if file.name.endswith(".feature"))

_OTHERS = FUZZ_FEATURES | GATEWAY_FEATURES | NODE_FEATURES

scenarios(*(str(_FOLDER / name) for name in _NAMES if name not in _OTHERS))
