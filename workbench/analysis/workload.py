"""How many operations an inference takes: equations (11) and (12) of Takaghaj & Sampson (2024).

Exact integers. A multiplication and an addition count one each; the product of two vectors of N
numbers takes N multiplications and N − 1 additions.

    once a signal  b = Φᵀs: M products of length N                       (2N − 1)M
    each step      Ga, then b − Ga and the integration, over M neurons   M(2M̂ − 1) + 2M = 2MM̂ + M

where M̂ of the M neurons fire and the columns of the others are left out; (11) takes all of them.
"""

from __future__ import annotations


def inference(features: int, neurons: int, steps: int) -> int:
    """Operations of one inference where every neuron inhibits every other, equation (11).

    Args:
        features: N, the length of the signal.
        neurons: M, one per atom.
        steps: K.

    Raises:
        ValueError: a number is negative, or ``features`` is 0.
    """
    return sparse_inference(features, neurons, steps, neurons)


def sparse_inference(features: int, neurons: int, steps: int, firing: int) -> int:
    """Operations of one inference where only firing neurons inhibit others, equation (12).

    Args:
        features: N, the length of the signal.
        neurons: M, one per atom.
        steps: K.
        firing: M̂, the number of neurons that fire at a step.

    Raises:
        ValueError: a number is negative, ``features`` is 0, or more neurons fire than there are.
    """
    _check(features, neurons, steps, firing)
    return (2 * features - 1) * neurons + steps * (2 * neurons * firing + neurons)


def gramian(features: int, neurons: int) -> int:
    """Operations that G = ΦᵀΦ takes, once per dictionary; it is symmetric, so half is computed.

    M(M + 1)N/2 multiplications and M(M + 1)(N − 1)/2 additions.

    Args:
        features: N, the length of an atom.
        neurons: M, the number of atoms.

    Raises:
        ValueError: a number is negative, or ``features`` is 0.
    """
    _check(features, neurons, 0, 0)
    pairs = neurons * (neurons + 1) // 2
    return pairs * features + pairs * (features - 1)


def _check(features: int, neurons: int, steps: int, firing: int) -> None:
    if features < 1 or min(neurons, steps) < 0 or not 0 <= firing <= neurons:
        raise ValueError(
            "features must be at least 1, neurons and steps at least 0, and firing from 0 to "
            f"neurons; got {features}, {neurons}, {steps}, {firing}"
        )
