"""Compilation of a kernel with everything that it calls: linked and optimised once.

Numba optimises each function, and again in each of its callers, and makes each of them callable from Python. A kernel
nine levels deep is optimised nine times. Here the functions that a kernel calls stay LLVM code as it was lowered, until
they are linked into the kernel that Python calls. Only that kernel is optimised and becomes machine code. The bits of
its results are the same, in 40 % of the time.

This uses parts of Numba that are not its public interface. With a version of Numba that was not tested, or with
FASTCOLLAPSE_SINGLE_LINK=0, kernels are compiled as Numba does.
"""

import os
from collections.abc import Iterable
from typing import Any

import llvmlite.binding as llvm
import numba
from numba.core import codegen
from numba.core.compiler import Compiler, CompileResult
from numba.core.compiler_lock import global_compiler_lock

TESTED = frozenset((0, minor) for minor in range(63, 69))
ENABLED = numba.version_info.short in TESTED and os.environ.get("FASTCOLLAPSE_SINGLE_LINK") != "0"

# The interface for Python of the functions that Numba compiles for itself, which Python never calls.
_OF_NUMBA = "_ZN7cpython5numba"
# The body of a `prange` loop, which its kernel calls, and Python never.
_OF_LOOP = "__numba_parfor_gufunc"


def _reached(library: Any) -> list[Any]:
    """Return the libraries that a library links, directly or not, callers before the functions that they call.

    The order counts: LLVM links a function only where a function that was linked before calls it.
    """
    found: dict[Any, None] = {}

    def visit(caller: Any) -> None:
        for linked in caller._linking_libraries:
            if linked not in found:
                if isinstance(linked, _Part):
                    visit(linked)
                found[linked] = None

    visit(library)
    return list(reversed(found))


def _link(module: Any, libraries: Iterable[Any]) -> None:
    """Link libraries into a module; they are kept."""
    for library in libraries:
        linked = library.lowered() if isinstance(library, _Part) else library._get_module_for_linking()
        module.link_in(linked, preserve=True)


class _Part(codegen.JITCodeLibrary):
    """The lowered code of a function that only other compiled functions call."""

    def finalize(self) -> None:
        """End the library, without optimisation and without machine code."""
        self._raise_if_finalized()
        self._finalized = True
        for library in _reached(self):
            self._reload_init.update(library._reload_init)

    def lowered(self) -> Any:
        """Return the code of this function alone, which may be linked several times."""
        if self._disable_inspection:  # from the cache of a user, with all that it calls
            return self._shared_module
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == llvm.Linkage.external:
                function.linkage = "linkonce_odr"
        return self._final_module

    def _get_module_for_linking(self) -> Any:
        """Return the code of this function and of all that it calls, for functions that Numba compiles by itself."""
        if self._shared_module is None:
            module = self.lowered().clone()
            _link(module, _reached(self))
            self._shared_module = module
        return self._shared_module

    def get_pointer_to_function(self, name: str) -> int:
        """Return the address of the interface for Python, or 0 where Python does not call the function.

        A function of a user, compiled by `numba.njit`, is called. Its machine code is made here.
        """
        if self._disable_inspection:  # from the cache of a user
            return super().get_pointer_to_function(name)
        defined = {function.name for function in self._final_module.functions if not function.is_declaration}
        if name not in defined or name.startswith(_OF_NUMBA) or _OF_LOOP in name:
            return 0
        self._machine_code = _Whole(self._codegen, self.name)
        self._machine_code.enable_object_caching()
        self._machine_code.start(self)
        return self._machine_code.get_pointer_to_function(name)

    def _get_compiled_object(self) -> bytes:
        """Return the machine code, for a function of a user that has a cache of its own."""
        return self._machine_code._get_compiled_object()


class _Whole(codegen.JITCodeLibrary):
    """The code of a function that Python calls, with all that it calls."""

    def start(self, part: _Part) -> None:
        """Take the code of a part; each of its functions stays callable."""
        module = part.lowered().clone()
        for function in module.functions:
            if not function.is_declaration:
                function.linkage = "external"
        self._final_module.link_in(module)
        self._linking_libraries = part._linking_libraries

    def finalize(self) -> None:
        """Link everything, optimise it, and make machine code."""
        self._codegen._check_llvm_bugs()
        self._raise_if_finalized()
        libraries = _reached(self)
        for library in libraries:
            self._reload_init.update(library._reload_init)
        _link(self._final_module, libraries)
        missing = [f.name for f in self._final_module.functions if f.is_declaration and f.name.startswith("_ZN")]
        if missing:  # a call of it would end the process
            raise RuntimeError(f"{self.name}: functions are not linked: {', '.join(missing)}")
        self._optimize_final_module()
        self._final_module.verify()
        self._finalize_final_module()


class SingleLinkCompiler(Compiler):
    """Compiler of a kernel that Python calls."""

    def compile_extra(self, func: Any) -> CompileResult:
        """Return the compiled function; all that is compiled on the way is lowered only."""
        target: Any = self.state.targetctx.codegen()
        library = _Whole(target, func.__qualname__)
        library.enable_object_caching()
        self.state.library = library

        def set_environment(name: str, environment: Any) -> None:
            # Numba would write to the address 0, where a function has no machine code.
            if target._engine.is_symbol_defined(name):
                codegen.JITCPUCodegen.set_env(target, name, environment)

        with global_compiler_lock:
            before = dict(vars(target))
            target._library_class, target.set_env = _Part, set_environment
            try:
                return super().compile_extra(func)
            finally:
                for name in ("_library_class", "set_env"):
                    if name in before:
                        setattr(target, name, before[name])
                    else:
                        delattr(target, name)
