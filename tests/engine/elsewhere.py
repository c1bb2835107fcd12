"""A device that is not there: tensors on it hold their numbers, and mix with no others.

Its tensors say that they are on "lazy", a device that torch knows by name and this process does not
have. Every operation on them is done on the CPU, unless one of them meets a tensor of the CPU: then
it fails, as it would on a GPU (which, too, takes CPU scalars, and indices from the CPU).
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map, tree_map_only

DEVICE = torch.device("lazy")
CPU = torch.device("cpu")
MAY_MIX = ("_to_copy", "copy_", "index", "lift_fresh")


class Far(torch.Tensor):
    """A tensor of that device."""

    @staticmethod
    def __new__(cls, near):
        return torch.Tensor._make_wrapper_subclass(
            cls, near.shape, near.stride(), near.storage_offset(), dtype=near.dtype, device=DEVICE
        )

    def __init__(self, near):
        self.near = near

    def data_ptr(self):
        return self.near.data_ptr()

    def __repr__(self):
        return f"Far({self.near})"

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return _done(function, args, kwargs or {})


class Elsewhere(TorchDispatchMode):
    """While it lasts, what is asked for on that device is made there."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return _done(function, args, kwargs or {})


def _done(function, args, kwargs):
    tensors = []
    tree_map_only(torch.Tensor, tensors.append, (args, kwargs))
    far = any(isinstance(tensor, Far) for tensor in tensors)
    near = any(not isinstance(tensor, Far) and tensor.ndim for tensor in tensors)
    name = function.overloadpacket.__name__
    if far and near and name not in MAY_MIX:
        raise RuntimeError(f"{name}: expected all tensors to be on the same device")
    asked = kwargs.get("device")
    goes_far = far if asked is None else torch.device(asked).type == DEVICE.type
    found = function(*tree_map(_near, args), **tree_map(_near, kwargs))
    if function._schema.is_mutable:  # the tensor that was written to is the one that is returned
        return args[0] if "out" not in kwargs else kwargs["out"]
    return tree_map_only(torch.Tensor, Far, found) if goes_far else found


def _near(value):
    if isinstance(value, Far):
        return value.near
    named = isinstance(value, torch.device | str) and str(value) == str(DEVICE)
    return CPU if named else value
