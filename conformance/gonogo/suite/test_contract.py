"""Every scenario of the feature files, bound to the steps in this folder's conftest.

Those about generated requests are omitted, as no run of this runner sends any, those about clients for Node, and those
about a gateway, for which something has to be set up.
"""

from importlib import resources

from pytest_bdd import scenarios

from gonogo.rules.catalogue import FUZZ_FEATURES, GATEWAY_FEATURES, NODE_FEATURES

_FOLDER = resources.files("gonogo") / "features"
_NAMES = sorted(file.name for file in _FOLDER.iterdir() if file.name.endswith(".feature"))

_OTHERS = FUZZ_FEATURES | GATEWAY_FEATURES | NODE_FEATURES

scenarios(*(str(_FOLDER / name) for name in _NAMES if name not in _OTHERS))
