# SPDX-License-Identifier: Apache-2.0
"""The window: item models, views and the application around them."""
