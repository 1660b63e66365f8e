# SPDX-License-Identifier: Apache-2.0
"""How fast the library is, beside a named reference in the same run."""
