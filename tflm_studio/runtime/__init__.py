# SPDX-License-Identifier: Apache-2.0
"""The reference interpreters, each in a process of its own: they may crash."""
