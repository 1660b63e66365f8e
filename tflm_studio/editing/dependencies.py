# SPDX-License-Identifier: Apache-2.0
"""Which operators of a subgraph are needed for what: through tensors and through resources.

VAR_HANDLE makes a resource variable under a name, READ_VARIABLE reads it, and ASSIGN_VARIABLE,
which has no outputs, gives it a value: an operator that reads one needs those that assign it,
although no tensor leads from one to the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from tflm_studio.editing.located import is_of_kind
from tflm_studio.model.calls import called_subgraphs
from tflm_studio.model.operators import find_tensor, is_constant
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import Model, Operator, SubGraph, VarHandleOptions

ResourceKey = tuple[str, str]


class Dependencies:
    """The operators of a subgraph by what they read and make. O(operators) to set up.

    Args:
        model: The model that has the subgraph.
        subgraph: Whose operators.
    """

    def __init__(self, model: Model, subgraph: SubGraph) -> None:
        self.model, self.subgraph = model, subgraph
        self.operators = subgraph.operators or []
        self.makers: dict[int, list[int]] = defaultdict(list)
        self.users: dict[int, list[int]] = defaultdict(list)
        self._resources: dict[int, ResourceKey] = {}
        for index, operator in enumerate(self.operators):
            for tensor in operator.outputs or []:
                self.makers[tensor].append(index)
            for tensor in operator.inputs or []:
                self.users[tensor].append(index)
            if is_of_kind(model, operator, BuiltinOperator.VAR_HANDLE):
                key = resource_key(operator)
                self._resources.update(dict.fromkeys(operator.outputs or [], key))

    def needed_for(
        self,
        tensors: Iterable[int],
        given: Collection[int] = (),
        allowed: set[int] | None = None,
    ) -> set[int]:
        """The operators that have to run to make tensors.

        Args:
            tensors: What is wanted.
            given: Tensors that need not be made.
            allowed: Makers of tensors to stay among; all if not given.
        """
        found: set[int] = set()
        self._walk_back(tensors, given, allowed, found)
        while True:
            more = self._effects_on(found)
            if not more:
                return found
            found |= more
            wanted = [t for index in more for t in self.operators[index].inputs or []]
            self._walk_back(wanted, given, allowed, found)

    def _walk_back(
        self,
        tensors: Iterable[int],
        given: Collection[int],
        allowed: set[int] | None,
        found: set[int],
    ) -> None:
        waiting, stops = list(tensors), set(given)
        while waiting:
            tensor = waiting.pop()
            if tensor in stops:
                continue
            stops.add(tensor)
            for maker in self.makers.get(tensor, ()):
                if maker not in found and (allowed is None or maker in allowed):
                    found.add(maker)
                    waiting += self.operators[maker].inputs or []

    def _effects_on(self, found: set[int]) -> set[int]:
        """Operators without outputs that change what others, which are needed, read."""
        keys = {key for index in found for key in self._keys_of(self.operators[index])}
        calls = any(called_subgraphs(self.operators[index]) for index in found)
        more: set[int] = set()
        if not keys and not calls:
            return more
        for index, operator in enumerate(self.operators):
            if operator.outputs or index in found:
                continue
            own = self._keys_of(operator)
            if keys & own or called_subgraphs(operator) or (calls and own):
                more.add(index)
        return more

    def _keys_of(self, operator: Operator) -> set[ResourceKey]:
        if not self._resources:
            return set()
        named = (*(operator.inputs or []), *(operator.outputs or []))
        return {self._resources[tensor] for tensor in named if tensor in self._resources}

    def fed_by(self, tensors: Iterable[int]) -> set[int]:
        """The operators that read tensors, or anything made of them."""
        waiting, seen, found = list(tensors), set[int](), set[int]()
        while waiting:
            tensor = waiting.pop()
            if tensor in seen:
                continue
            seen.add(tensor)
            for user in self.users.get(tensor, ()):
                if user not in found:
                    found.add(user)
                    waiting += self.operators[user].outputs or []
        return found

    def open_inputs(self, kept: Iterable[int]) -> list[int]:
        """Tensors that some operators read and others would have to give, in order of use."""
        chosen = sorted(kept)
        made = {t for index in chosen for t in self.operators[index].outputs or []}
        found = {
            tensor: None
            for index in chosen
            for tensor in self.operators[index].inputs or []
            if tensor not in made and self.is_given(tensor)
        }
        return list(found)

    def variable_parts(self, kept: Collection[int]) -> set[int]:
        """The other operators that make the resources some read, or set them up once."""
        read = {t for index in kept for t in self.operators[index].inputs or []}
        found = {maker for t in read & self._resources.keys() for maker in self.makers[t]}
        keys = {key for index in kept for key in self._keys_of(self.operators[index])}
        if keys:
            found |= {
                index
                for index, operator in enumerate(self.operators)
                if is_of_kind(self.model, operator, BuiltinOperator.CALL_ONCE)
            }
        return found - set(kept)

    def is_given(self, tensor_index: int) -> bool:
        """Whether a tensor holds what it is given at run time: no constant, no variable."""
        tensor = find_tensor(self.subgraph, tensor_index)
        return (
            tensor is not None
            and not tensor.is_variable
            and tensor.type != TensorType.RESOURCE
            and not is_constant(self.model, self.subgraph, tensor_index)
        )


def resource_key(operator: Operator) -> ResourceKey:
    """The names under which VAR_HANDLE finds its variable."""
    options = operator.builtin_options
    if not isinstance(options, VarHandleOptions):
        return "", ""
    return options.container or "", options.shared_name or ""
