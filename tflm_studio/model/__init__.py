# SPDX-License-Identifier: Apache-2.0
"""What a model means: types, operators, addresses, the graph, quantisation."""
