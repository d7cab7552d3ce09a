"""What `kajitori dev` says to somebody who has nothing yet: the smallest operator, ready to be saved."""

__all__ = ["EXAMPLE", "FIRST_STEPS"]

EXAMPLE = '''\
import msgspec

from kajitori.apis import ObjectMeta, kind
from kajitori.ctrl import DONE, Manager, Result, as_reconciler


class WidgetSpec(msgspec.Struct, frozen=True):
    size: int = 3


@kind(group="example.com", version="v1", plural="widgets")
class Widget(msgspec.Struct, frozen=True):
    """Something with a size."""

    metadata: ObjectMeta = ObjectMeta()
    spec: WidgetSpec = WidgetSpec()


class Widgets:
    async def reconcile(self, widget: Widget) -> Result:
        print(f"{widget.metadata.name} has size {widget.spec.size}")
        return DONE


def setup(manager: Manager) -> None:
    manager.controller("widgets", as_reconciler(manager.cache, Widget, Widgets()), for_=Widget)
'''

FIRST_STEPS = f"""\
kajitori dev runs an operator while you write it. Save this as widgets.py:

{EXAMPLE}
Then run it, on a cluster in this process:

    kajitori dev widgets.py

and in another shell make something for it to do:

    export KUBECONFIG=$PWD/.kajitori/kubeconfig
    kubectl create -f - <<< '{{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {{"name": "big"}}}}'

Edit widgets.py and save it: the new code runs at once. More: kajitori dev --help
"""
