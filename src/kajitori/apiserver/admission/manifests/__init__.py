"""Webhooks and policies that lie in files: there from the first request on, and not to be changed by the API.

`reading` makes objects of the files of a directory and says what is wrong with them; `directories` keeps them, and
looks for changes.

Source: https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/5793-manifest-based-admission-control-config
"""

from kajitori.apiserver.admission.manifests.directories import Directories, ManifestDirectory
from kajitori.apiserver.admission.manifests.reading import PLUGIN_KINDS

__all__ = ["PLUGIN_KINDS", "Directories", "ManifestDirectory"]
