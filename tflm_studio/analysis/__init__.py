# SPDX-License-Identifier: Apache-2.0
"""Questions to a model: summaries, statistics, contents of buffers."""
