"""Import torchvision also where its compiled operators do not load.

The published torchvision wheel is built for a torch with CUDA. Beside a CPU-only torch its
compiled operators do not load; torchvision itself tolerates that, but on import it describes
``torchvision::nms`` and ``torchvision::qnms``, which then do not exist, and fails. Datasets and
models use neither, so it is enough that their schemas are known.
"""

from __future__ import annotations

import sys
import threading
import warnings

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_lock = threading.Lock()
_registered: torch.library.Library | None = None  # the schemas live as long as this object


def ensure() -> None:
    """Make ``import torchvision`` work; nothing is changed where it works already.

    It is tried first, rather than looking whether the operators load: where they do, a second
    registration of the same schemas would be an error.
    """
    global _registered
    with _lock, warnings.catch_warnings():
        # Images are read by Pillow; torchvision's own decoder misses the same compiled code.
        warnings.filterwarnings("ignore", "Failed to load image Python extension")
        try:
            import torchvision  # noqa: F401
        except RuntimeError as error:
            if _registered is not None or "torchvision::nms does not exist" not in str(error):
                raise
            for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
                del sys.modules[name]  # imported halfway
            _registered = torch.library.Library("torchvision", "DEF")
            for schema in _SCHEMAS:
                _registered.define(schema)
            import torchvision  # noqa: F401
