# SPDX-License-Identifier: Apache-2.0
"""What a firmware needs besides the model itself."""
