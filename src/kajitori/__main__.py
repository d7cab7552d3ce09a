"""`python -m kajitori` is `kajitori`."""

import sys

from kajitori.cli.main import main

sys.exit(main())
