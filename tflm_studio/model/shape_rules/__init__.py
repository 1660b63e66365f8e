# SPDX-License-Identifier: Apache-2.0
"""How the shapes of outputs follow from those of inputs, family by family."""
