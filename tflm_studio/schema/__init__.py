# SPDX-License-Identifier: Apache-2.0
"""The schema as data: enumerations, table classes and one row per field."""
