"""Muon: SGD with momentum whose steps for the kernels of convolutions are orthogonalised.

K. Jordan and others 2024, https://kellerjordan.github.io/posts/muon/. A step that a few directions
dominate changes all of them alike, so a short training goes further. Keras' own Muon gives kernels
of convolutions, which are no matrices, to AdamW.
"""

from stages.networks.backend import keras

ops = keras.ops

# Of the quintic x -> a x + b x^3 + c x^5, which takes singular values to about 1 in few steps.
QUINTIC = (3.4445, -4.7750, 2.0315)
STEPS = 3


class Muon(keras.optimizers.SGD):
    """Nesterov SGD that orthogonalises the steps of kernels with more than one input channel."""

    def __init__(self, *args: object, kernel_rate: float, **options: object):
        """Take what SGD takes.

        Args:
            kernel_rate: singular values of a kernel's step, as a multiple of the learning rate; 0
                leaves kernels to SGD
        """
        super().__init__(*args, nesterov=True, **options)
        self.kernel_rate = kernel_rate

    def update_step(
        self,
        gradient: keras.KerasTensor,
        variable: keras.Variable,
        learning_rate: keras.KerasTensor,
    ) -> None:
        """Change a variable in place, as Keras' optimizers do."""
        if not self.kernel_rate or len(variable.shape) < 4 or variable.shape[-2] == 1:
            super().update_step(gradient, variable, learning_rate)
            return
        step = gradient
        if self.momentum:
            kept = self.momentums[self._get_variable_index(variable)]
            self.assign(kept, ops.add(ops.multiply(self.momentum, kept), gradient))
            step = ops.add(gradient, ops.multiply(self.momentum, kept))
        matrix = orthogonalise(ops.reshape(step, (-1, variable.shape[-1])))
        rate = ops.multiply(learning_rate, self.kernel_rate)
        self.assign_sub(variable, ops.multiply(rate, ops.reshape(matrix, variable.shape)))


def orthogonalise(matrix: keras.KerasTensor) -> keras.KerasTensor:
    """Return about U V^T of a matrix U S V^T, (m, n) with m >= n, by Newton-Schulz steps."""
    a, b, c = QUINTIC
    x = ops.divide(matrix, ops.add(ops.norm(matrix), 1e-7))
    for _ in range(STEPS):
        square = ops.matmul(ops.transpose(x), x)
        x = ops.add(a * x, ops.matmul(x, b * square + c * ops.matmul(square, square)))
    return x
