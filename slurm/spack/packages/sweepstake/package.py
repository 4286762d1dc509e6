"""Spack's recipe, for a checkout: `spack repo add slurm/spack; spack dev-build sweepstake@0.1.0`."""
from spack.package import *


class Sweepstake(MesonPackage):
    """Lottery-ticket experiments at cluster scale: a grid of training runs through MPI into one HDF5 file."""

    license("BSD-3-Clause")

    version("0.1.0")

    variant("tests", default=False, description="Build the tests")

    depends_on("c", type="build")
    depends_on("meson@1.0:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("openmpi@4.1:")
    depends_on("hdf5@1.10: +mpi")
    depends_on("openblas@0.3:")
    depends_on("libyaml@0.2:")
    depends_on("xxhash@0.8:")
    depends_on("zlib@1.2:")
    depends_on("random123")
    depends_on("cmocka@1.1:", when="+tests")

    def meson_args(self):
        return ["-Dtests=" + ("true" if self.spec.satisfies("+tests") else "false")]
