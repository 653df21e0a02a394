"""`python -m gonogo_server`, the same as `gonogo serve`."""

import sys

from gonogo_server.serve import main

sys.exit(main())
