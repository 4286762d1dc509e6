"""What slurm/ holds for installing names what is really there: Spack's recipe asks for the libraries, versions and
options of meson.build, and the module file puts sweepstake into PATH."""
import pathlib
import re
import subprocess
import sys
import types
import unittest

TOP = pathlib.Path(__file__).parents[2]
VERSION = re.search(r"version: '([^']+)'", (TOP / "meson.build").read_text())[1]
MODULES = pathlib.Path("/usr/lib/x86_64-linux-gnu/modulecmd.tcl")  # Debian's environment-modules
SPACK_NAMES = {"mpi": "openmpi", "yaml": "libyaml"}                 # where they differ from those of meson.build


def recipe():
    """Runs package.py with directives that note what they are given."""
    said = {"license": [], "version": [], "variant": [], "depends_on": []}
    spack = types.ModuleType("spack.package")
    spack.MesonPackage = object
    for directive, calls in said.items():
        setattr(spack, directive, lambda name, calls=calls, **_: calls.append(name))
    sys.modules.update({"spack": types.ModuleType("spack"), "spack.package": spack})
    names = {}
    exec((TOP / "slurm/spack/packages/sweepstake/package.py").read_text(), names)
    return names["Sweepstake"], said


class Files(unittest.TestCase):
    def test_spack_asks_for_what_meson_asks_for(self):
        _, said = recipe()
        rows = re.findall(r"\['(\w+)', \[[^]]*\], '>=([\d.]+)'", (TOP / "meson.build").read_text())
        wanted = {f"{SPACK_NAMES.get(name, name)}@{least}:" for name, least in rows} | {"random123"}
        asked = {spec.removesuffix(" +mpi") for spec in said["depends_on"]} - {"c", "meson@1.0:", "pkgconfig"}
        self.assertEqual(asked, wanted)
        self.assertIn("hdf5@1.10: +mpi", said["depends_on"])
        self.assertEqual(said["version"], [VERSION])

    def test_spack_sets_options_that_meson_has(self):
        package, said = recipe()
        options = re.findall(r"option\('(\w+)'", (TOP / "meson_options.txt").read_text())
        self.assertLessEqual(set(said["variant"]), set(options))
        for chosen in (True, False):
            package.spec = types.SimpleNamespace(satisfies=lambda _: chosen)
            self.assertEqual(package().meson_args(), [f"-Dtests={str(chosen).lower()}"])

    @unittest.skipUnless(MODULES.exists(), "environment-modules is not installed")
    def test_module_file_loads(self):
        done = subprocess.run([MODULES, "sh", "load", f"sweepstake/{VERSION}"], capture_output=True, text=True,
                              env={"PATH": "/usr/bin:/bin", "MODULEPATH": str(TOP / "slurm/modules")})
        self.assertIn(f"PATH=/opt/sweepstake/{VERSION}/bin:/usr/bin:/bin", done.stdout, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
